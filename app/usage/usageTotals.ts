import type { KeyUse } from '../../db/tables/keys/apiKeys.ts';
import type { KeyScopeUse } from '../../db/tables/keys/apiKeyScopeUses.ts';
import type { KeyUsageHour } from '../../db/tables/usage/apiKeyUsageHours.ts';
import type { ScopeCatalogue } from '../domain/scopeCatalogue.ts';
import { outcomeOf } from '../domain/requestOutcome.ts';
import type { JournalEntry } from './usageEvent.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOTHING = { ok: 0, denied: 0, clientErrors: 0, serverErrors: 0, responseMs: 0 };

interface KeyTally extends KeyUse {
  hours: Required<KeyUsageHour>[];
}

/** What many uses come to: how often each key called each route in each hour, and when it and its scopes were last used. */
export class UsageTotals {
  readonly #keys = new Map<string, KeyTally>();
  #rows = 0;

  add(use: JournalEntry): void {
    const { keyId, tenantId, statusCode, ip, responseMs, createdAt: at } = use;
    let key = this.#keys.get(keyId);
    if (!key) this.#keys.set(keyId, (key = { keyId, tenantId, at, ip, hours: [] }));
    if (key.at <= at) {
      key.at = at;
      key.ip = ip;
    }
    const before = key.hours.length;
    const hour = hourOf(key, use);
    this.#rows += key.hours.length - before;
    const outcome = outcomeOf(statusCode);
    hour[outcome === 'denied' ? 'denied' : 'ok'] += 1;
    if (outcome === 'error') hour[statusCode < 500 ? 'clientErrors' : 'serverErrors'] += 1;
    hour.responseMs += responseMs;
  }

  /** How many hours of a key and route there are. */
  get rows(): number {
    return this.#rows;
  }

  get hours(): KeyUsageHour[] {
    return [...this.#keys.values()].flatMap(({ hours }) => hours);
  }

  get lastUses(): Iterable<KeyUse> {
    return this.#keys.values();
  }

  /** For each key and scope that its requests asked for, the last day, under each name that the catalogue has for the scope. */
  scopeUses(catalogue: ScopeCatalogue): KeyScopeUse[] {
    return [...this.#keys.values()].flatMap((key) => scopeUsesOf(key, catalogue));
  }
}

/** When and from where each key of some sums was last used. */
export function lastUsesOf(sums: readonly UsageTotals[]): KeyUse[] {
  const last = new Map<string, KeyUse>();
  for (const { lastUses } of sums) {
    for (const use of lastUses) {
      const known = last.get(use.keyId);
      if (!known || known.at <= use.at) last.set(use.keyId, use);
    }
  }
  return [...last.values()];
}

/** A key calls few routes in an hour, so that looking through them is quicker than making a name for each. */
function hourOf(key: KeyTally, use: JournalEntry): Required<KeyUsageHour> {
  const { keyId, tenantId, method, endpoint, createdAt } = use;
  const hour = createdAt - (createdAt % HOUR_MS);
  const scope = use.scope ?? '';
  const known = key.hours.find(
    (one) => one.endpoint === endpoint && one.hour === hour && one.method === method && one.scope === scope,
  );
  if (known) return known;
  const made = { keyId, tenantId, hour, method, endpoint, scope, ...NOTHING };
  key.hours.push(made);
  return made;
}

/** The last day of each scope that the key's requests asked for, refused ones among them. */
function scopeUsesOf({ keyId, tenantId, hours }: KeyTally, catalogue: ScopeCatalogue): KeyScopeUse[] {
  const days = new Map<string, number>();
  for (const { scope, hour } of hours) {
    // Another backend may have asked by any name.
    const meant = catalogue.meaningOf(scope);
    if (scope !== '') days.set(meant, Math.max(days.get(meant) ?? 0, hour - (hour % DAY_MS)));
  }
  // Under each of its names, since a key is compared with the names it was granted.
  return [...days].flatMap(([scope, day]) =>
    catalogue.namesOf(scope).map((name) => ({ keyId, tenantId, scope: name, day })),
  );
}
