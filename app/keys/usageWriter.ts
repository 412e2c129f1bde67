import { LRUCache } from 'lru-cache';
import { transaction, type Db } from '../../db/connect.ts';
import { noteKeyUses } from '../../db/tables/apiKeys.ts';
import { insertKeyUsage } from '../../db/tables/apiKeyUsage.ts';
import { addKeyUsageHours } from '../../db/tables/apiKeyUsageHours.ts';
import { claimUsageBatches, type UsageBatch } from '../../db/tables/usageBatches.ts';
import { recordOncePerWindow } from '../actions/record.ts';
import { changedFields, type AuditEvent } from '../domain/auditEvent.ts';
import type { Tally } from './tally.ts';
import type { Use } from './usageEvent.ts';

const MINUTE_MS = 60_000;

/** A batch of uses, read and as it was written. */
export interface UsesOfBatch {
  batch: UsageBatch;
  uses: readonly Use[];
  json: string;
}

/**
 * Puts uses of keys into the database, in two steps that each happen once however often they are tried: every request
 * soon, and what they come to together once there is something to put together.
 */
export class UsageWriter {
  readonly #db: Db;
  /** The last minute of each key and address that is in the audit log, and need not be offered to it again. */
  readonly #audited = new LRUCache<string, number>({ max: 50_000 });

  constructor(db: Db) {
    this.#db = db;
  }

  /** Writes every request of the batches, and one audit row for each window of use. */
  async writeUses(batches: readonly UsesOfBatch[]): Promise<void> {
    const written: Window[] = [];
    await transaction(this.#db, async (trx) => {
      written.length = 0;
      for (const { batch, uses, json } of batches) {
        if (!(await claimUsageBatches(trx, 'uses', [batch], Date.now()))) continue;
        await insertKeyUsage(trx, batch, json);
        const windows = windowsOf(uses).filter(({ place, minute }) => this.#audited.get(place) !== minute);
        await recordOncePerWindow(trx, windows.map(auditedUse));
        written.push(...windows);
      }
    });
    for (const { place, minute } of written) this.#audited.set(place, minute);
  }

  /** Adds up what the batches come to, and notes when their keys were last used. */
  async writeTally(batches: readonly UsageBatch[], tally: Tally): Promise<void> {
    await transaction(this.#db, async (trx) => {
      if (await claimUsageBatches(trx, 'sums', batches, Date.now())) await addKeyUsageHours(trx, tally.hours);
    });
    // By itself, since a change of these keys has to wait for it; done twice it is the same.
    await noteKeyUses(this.#db, tally.lastUses);
  }
}

/** The first use of a key from an address in a minute; the usage log has them all. */
interface Window {
  place: string;
  minute: number;
  use: Use;
}

function windowsOf(uses: readonly Use[]): Window[] {
  const last = new Map<string, number>();
  const windows: Window[] = [];
  for (const use of uses) {
    const [keyId, , , , , , ip, , , at] = use;
    const place = `${keyId}:${ip ?? ''}`;
    const minute = Math.floor(at / MINUTE_MS);
    if (last.get(place) === minute) continue;
    last.set(place, minute);
    windows.push({ place, minute, use });
  }
  return windows;
}

function auditedUse({ place, minute, use }: Window): Parameters<typeof recordOncePerWindow>[1][number] {
  const [keyId, tenantId, method, endpoint, statusCode, , ip, userAgent, , at, keyName, requestId] = use;
  const act = {
    tenantId,
    now: at,
    actor: { type: 'api_key' as const, id: keyId, name: keyName },
    origin: { ip, userAgent, requestId },
  };
  const event: AuditEvent = {
    action: 'API_KEY_USED',
    entityId: keyId,
    ...changedFields(null, { method, endpoint, statusCode }),
  };
  return { window: `used:${place}:${minute}`, act, event };
}
