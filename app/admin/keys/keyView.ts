import { SOON_MS } from '../../../db/tables/keys/apiKeyAttention.ts';
import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { keyStatus, whyEnded } from '../../domain/keyStatus.ts';
import type { Locale } from '../../domain/locale.ts';
import { breaksLifetimeRules, type Policy } from '../../domain/policy.ts';
import { BUILT_IN, type ScopeCatalogue, type Wording } from '../../domain/scopeCatalogue.ts';
import { maskKey } from '../../domain/token.ts';
import { sparklineOf, type Sparkline } from '../shell/bars.ts';
import { textsIn, type Texts } from '../../locales/texts.ts';

/** Requests of replaced keys are counted so far; beyond it the page shows a plus. */
export const MOST_USES = 10_000;
/** The days that the sparkline of a key covers. */
export const SPARK_DAYS = 30;

/** A scope as a badge. */
export interface ScopeBadge {
  scope: string;
  description: string;
  /** The description for screen readers, read out after the scope. */
  spoken: string;
  /** Whether the scope opens more than reading. */
  strong: boolean;
}

/** A key as pages show it, in the reader's language. */
export interface KeyView {
  id: string;
  name: string;
  description: string | null;
  environment: string;
  /** The prefix and last four characters, as `fsk_live_01234567…abcd`. */
  masked: string;
  scopes: ScopeBadge[];
  status: 'active' | 'expiring' | 'rotating' | 'paused' | 'expired' | 'revoked';
  /** When the key ends and how often a replaced key is still used. */
  note: string;
  /** What is wrong with the key, in words. */
  warnings: string[];
  createdAt: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
  lastUsedIp: string | null;
  spark: Sparkline;
  may: { edit: boolean; copy: boolean; rotate: boolean; pause: boolean; resume: boolean; revoke: boolean };
}

/** Builds the view of a key; `manages` says whether the reader may change keys, `catalogue` describes the badges of its scopes. */
export function keyView(
  key: ApiKey,
  texts: Texts,
  now: number,
  {
    manages,
    reader,
    policy,
    days,
    sinceRotation,
    catalogue,
  }: {
    manages: boolean;
    /** Who reads the page: keys of other people cannot be rotated. */
    reader?: string;
    policy?: Policy;
    days?: number[] | undefined;
    sinceRotation?: number | undefined;
    catalogue?: ScopeCatalogue;
  },
): KeyView {
  const status = statusOnPage(key, now);
  const lives = status !== 'revoked' && status !== 'expired';
  const isOwn = key.userId === null || reader === undefined || key.userId === reader;
  return {
    id: key.id,
    name: key.name,
    description: key.description,
    environment: key.environment,
    masked: maskKey(key.keyPrefix, key.lastFour),
    scopes: key.scopes.map((scope) => scopeBadge(scope, texts, catalogue)),
    status,
    note: noteOf(key, status, texts, now, sinceRotation),
    warnings: warningsOf(key, texts, now, policy),
    createdAt: key.createdAt,
    expiresAt: key.expiresAt,
    lastUsedAt: key.lastUsedAt,
    lastUsedIp: key.lastUsedIp,
    spark: sparklineOf(days ?? Array<number>(SPARK_DAYS).fill(0)),
    may: {
      edit: manages && lives,
      copy: manages,
      rotate: manages && lives && status !== 'rotating' && status !== 'paused' && isOwn,
      pause: manages && lives && status !== 'paused',
      resume: manages && status === 'paused',
      // An expired key can be revoked too, so that it cannot be given a later expiry.
      revoke: manages && status !== 'revoked',
    },
  };
}

/** A scope with what it opens, in the reader's language and as the catalogue describes it. */
export function scopeBadge(
  scope: string,
  texts: Pick<Texts, 'locale' | 't'>,
  catalogue: ScopeCatalogue = BUILT_IN,
): ScopeBadge {
  return badgesIn(catalogue).get(scope)?.[texts.locale] ?? badgeOf(scope, texts.t('keys.scope_unknown'), texts);
}

const isStrong = (scope: string) => !/(?:^|:)read$/.test(scope);

type Badges = ReadonlyMap<string, Record<Locale, ScopeBadge>>;

/** Kept by catalogue, since a list shows hundreds of badges. */
const badgesByCatalogue = new WeakMap<ScopeCatalogue, Badges>();

function badgesIn(catalogue: ScopeCatalogue): Badges {
  let badges = badgesByCatalogue.get(catalogue);
  if (!badges) {
    const all = catalogue.scopes.flatMap(({ scope, description }) =>
      catalogue.namesOf(scope).map((name) => [name, badgesOf(name, description)] as const),
    );
    badgesByCatalogue.set(catalogue, (badges = new Map(all)));
  }
  return badges;
}

function badgesOf(scope: string, { en, fr }: Wording): Record<Locale, ScopeBadge> {
  return { en: badgeOf(scope, en, textsIn('en')), fr: badgeOf(scope, fr, textsIn('fr')) };
}

function badgeOf(scope: string, description: string, { t }: Pick<Texts, 't'>): ScopeBadge {
  return { scope, description, spoken: t('ui.about', { label: '', text: description }), strong: isStrong(scope) };
}

/** A span of time in its largest unit, rounded: a key that was given 90 days a minute ago has 90 days left. */
export function durationText(ms: number, locale: Texts['locale']): string {
  const [unit, size] = UNITS.find(([, size]) => ms >= size) ?? ['minute', 60_000];
  const count = Math.max(1, Math.round(ms / size));
  // The sign is one for all languages; English data has "hr".
  return unit === 'hour' ? `${count}\u00a0h` : spanFormat(locale, unit).format(count);
}

/** Kept by language and unit, since making one takes a hundred times as long as using it. */
const spanFormats = new Map<string, Intl.NumberFormat>();

function spanFormat(locale: Texts['locale'], unit: string): Intl.NumberFormat {
  const name = `${locale} ${unit}`;
  let format = spanFormats.get(name);
  if (!format) {
    const unitDisplay = unit === 'day' ? 'long' : 'short';
    spanFormats.set(name, (format = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay })));
  }
  return format;
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const satisfies readonly (readonly [string, number])[];

function warningsOf(key: ApiKey, { t }: Texts, now: number, policy: Policy | undefined): string[] {
  const leaked = key.leakReportedAt === null ? [] : [t('keys.leaked')];
  if (!policy || whyEnded(key, now) || !breaksLifetimeRules(policy, key)) return leaked;
  return [...leaked, t(policy.enforceOnExisting ? 'keys.refused_by_policy' : 'keys.breaks_policy')];
}

function statusOnPage(key: ApiKey, now: number): KeyView['status'] {
  const status = keyStatus(key, now);
  const isSoon = key.expiresAt !== null && key.expiresAt <= now + SOON_MS;
  return status === 'active' && isSoon ? 'expiring' : status;
}

function noteOf(
  key: ApiKey,
  status: KeyView['status'],
  { t, locale, number }: Texts,
  now: number,
  uses: number | undefined,
): string {
  if (status === 'active' && key.expiresAt === null) return t('keys.note_never');
  if (status === 'active' || status === 'expiring') {
    return t('keys.ends_in', { left: durationText((key.expiresAt ?? now) - now, locale) });
  }
  if (status === 'paused' && key.pausedAt !== null) {
    return t('keys.paused_since', { since: durationText(Math.max(0, now - key.pausedAt), locale) });
  }
  if (status !== 'rotating' || key.graceEndsAt === null) return '';
  const ends = t('keys.ends_in', { left: durationText(key.graceEndsAt - now, locale) });
  if (uses === undefined) return ends;
  const requests = uses > MOST_USES ? `${number(MOST_USES)}+` : number(uses);
  return `${ends}, ${t('keys.requests_since', { count: uses, requests })}`;
}
