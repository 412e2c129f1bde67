import type { Db } from '../../../db/connection/connect.ts';
import { insertLeakReport, listLeakReports, type LeakReport } from '../../../db/tables/keys/apiKeyLeakReports.ts';
import { updateApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { newId } from '../../domain/id.ts';
import { whyEnded } from '../../domain/keyStatus.ts';
import type { Policy } from '../../domain/policy.ts';
import { iso } from '../../domain/times.ts';
import { sameHash } from '../../domain/token.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { findPolicy } from './keyRules.ts';
import { writeRevocation } from './revokeKey.ts';
import { changeKeyUnderAnyPolicy, lockKey, type LockedKey } from './storedKey.ts';

/** Where the text of a key was found, and who tells of it. */
export type LeakFinding = Pick<LeakReport, 'source' | 'url' | 'foundIn' | 'delivery'>;

const DAY_MS = 86_400_000;
/** Whoever holds a key can report it without end; this many reports of one are kept. */
const MOST_REPORTS = 20;

/**
 * Does to a leaked key what its tenant's policy says: revokes it, lets it end within a day, or only notes the leak. A
 * rotated key in its grace period is acted on itself, not its successor; a key that has ended stays as it is.
 */
export async function reportLeak(request: ActionContext, id: string, finding: LeakFinding): Promise<void> {
  await changeKeyUnderAnyPolicy(request, id, async (trx) => {
    const locked = await lockKey(trx, request, id);
    const { key: before, act } = locked;
    if (whyEnded(before, act.now)) return;
    const known = await listLeakReports(trx, before.tenantId, id);
    if (known.some((report) => isSameDelivery(report, finding))) return;
    const { leakAction } = await findPolicy(trx, before.tenantId);
    const isNew = known.length < MOST_REPORTS && !known.some((report) => isSamePlace(report, finding));
    if (isNew) {
      const report = { ...finding, id: newId(act.now), tenantId: before.tenantId, keyId: id, createdAt: act.now };
      await insertLeakReport(trx, report);
    }
    const after = await writeLeak(trx, locked, finding, leakAction, isNew);
    if (leakAction === 'revoke') await writeRevocation(trx, { key: after, act }, { reason: 'Reported leaked' });
  });
}

async function writeLeak(
  trx: Db,
  { key: before, act }: LockedKey,
  { source, url }: LeakFinding,
  leakAction: Policy['leakAction'],
  isNew: boolean,
): Promise<ApiKey> {
  const end = act.now + DAY_MS;
  const ends = leakAction === 'expire' && (before.expiresAt === null || before.expiresAt > end);
  if (!isNew && !ends && before.leakReportedAt !== null) return before;
  const after = {
    ...before,
    ...(ends && {
      expiresAt: end,
      graceEndsAt: before.graceEndsAt === null ? null : Math.min(before.graceEndsAt, end),
    }),
    leakReportedAt: before.leakReportedAt ?? act.now,
    updatedAt: act.now,
  };
  await updateApiKey(trx, after);
  await recordAuditEvent(trx, act, {
    action: 'API_KEY_LEAK_REPORTED',
    entityId: before.id,
    ...changedFields(
      { expiresAt: iso(before.expiresAt) },
      { source, url: url ?? undefined, leakAction, expiresAt: iso(after.expiresAt) },
    ),
  });
  return after;
}

function isSameDelivery({ delivery: one }: LeakReport, { delivery: other }: LeakFinding): boolean {
  return one !== null && other !== null && sameHash(one, other);
}

/** Each delivery is kept, so that it is acted on once; other reports say nothing new about a place that is known. */
function isSamePlace(one: LeakReport, other: LeakFinding): boolean {
  return other.delivery === null && one.source === other.source && one.url === other.url;
}
