import type { LRUCache } from 'lru-cache';
import { transaction, type Db } from '../../db/connect.ts';
import { noteKeyUses, type KeyUse } from '../../db/tables/apiKeys.ts';
import { insertKeyUsage, type KeyUsage } from '../../db/tables/apiKeyUsage.ts';
import { addKeyUsageHours, type KeyUsageHour } from '../../db/tables/apiKeyUsageHours.ts';
import { claimUsageBatch } from '../../db/tables/usageBatches.ts';
import { recordOncePerWindow } from '../actions/record.ts';
import { changedFields, type AuditEvent } from '../domain/auditEvent.ts';
import type { UsageEvent } from './usage.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Uses of keys under the name by which the database knows whether it has counted them. */
export interface UsageBatch {
  processId: string;
  sequence: number;
  events: readonly UsageEvent[];
}

/** Windows of use known to be in the audit log, which need not be offered to it again. */
export type AuditedWindows = LRUCache<string, true>;

/** Writes a batch in one transaction: every request, the hourly counts, one audit row a window, and the last uses. */
export async function writeUsage(
  db: Db,
  { processId, sequence, events }: UsageBatch,
  now: number,
  audited: AuditedWindows,
): Promise<void> {
  const windows = windowsOf(events).filter(({ window }) => !audited.has(window));
  await transaction(db, async (trx) => {
    if (!(await claimUsageBatch(trx, processId, sequence, now))) return;
    await insertKeyUsage(
      trx,
      events.map((use, index) => usageOf(use, usageId(processId, sequence, index))),
    );
    await addKeyUsageHours(trx, hoursOf(events));
    await recordOncePerWindow(trx, windows);
    // Last, since from here to the commit a change of these keys has to wait.
    await noteKeyUses(trx, lastUsesOf(events));
  });
  for (const { window } of windows) audited.set(window, true);
}

/** The same id whenever the batch is tried, in the order of its events, and without asking for randomness each time. */
function usageId(processId: string, sequence: number, index: number): string {
  const place = sequence * 0x100000 + index;
  return processId.slice(0, 24) + place.toString(16).padStart(12, '0');
}

function usageOf(use: UsageEvent, id: string): KeyUsage {
  return {
    id,
    tenantId: use.tenantId,
    keyId: use.keyId,
    method: use.method,
    endpoint: use.endpoint,
    statusCode: use.statusCode,
    scope: use.scope,
    ip: use.ip,
    userAgent: use.userAgent,
    responseMs: Math.round(use.responseMs * 10) / 10,
    createdAt: use.at,
  };
}

function hoursOf(events: readonly UsageEvent[]): KeyUsageHour[] {
  const hours = new Map<string, KeyUsageHour>();
  for (const { keyId, tenantId, at, method, endpoint, scope, statusCode, responseMs } of events) {
    const hour = at - (at % HOUR_MS);
    const place = [keyId, hour, method, endpoint, scope].join(' ');
    const known = hours.get(place);
    const sum = known ?? {
      keyId,
      tenantId,
      hour,
      method,
      endpoint,
      scope: scope ?? '',
      ok: 0,
      denied: 0,
      responseMs: 0,
    };
    if (!known) hours.set(place, sum);
    sum[statusCode < 400 ? 'ok' : 'denied'] += 1;
    sum.responseMs += responseMs;
  }
  return [...hours.values()];
}

type AuditedUse = Parameters<typeof recordOncePerWindow>[1][number];

/** The first use of each key from each address in each minute; the usage log has them all. */
function windowsOf(events: readonly UsageEvent[]): AuditedUse[] {
  const windows = new Map<string, AuditedUse>();
  for (const use of events) {
    const window = `used:${use.keyId}:${use.ip ?? ''}:${Math.floor(use.at / MINUTE_MS)}`;
    if (!windows.has(window)) windows.set(window, { window, act: occasionOf(use), event: eventOf(use) });
  }
  return [...windows.values()];
}

function occasionOf({ tenantId, keyId, keyName, ip, userAgent, requestId, at }: UsageEvent): AuditedUse['act'] {
  return {
    tenantId,
    now: at,
    actor: { type: 'api_key', id: keyId, name: keyName },
    origin: { ip, userAgent, requestId },
  };
}

function eventOf({ keyId, method, endpoint, statusCode }: UsageEvent): AuditEvent {
  return { action: 'API_KEY_USED', entityId: keyId, ...changedFields(null, { method, endpoint, statusCode }) };
}

function lastUsesOf(events: readonly UsageEvent[]): KeyUse[] {
  const last = new Map<string, KeyUse>();
  for (const { tenantId, keyId, at, ip } of events) {
    const known = last.get(keyId);
    if (!known || known.at <= at) last.set(keyId, { tenantId, keyId, at, ip });
  }
  return [...last.values()];
}
