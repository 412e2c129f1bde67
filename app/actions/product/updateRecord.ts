import { transaction } from '../../../db/connection/connect.ts';
import { lockRecord, updateRecordData, type StoredRecord } from '../../../db/tables/product/records.ts';
import { changedFields, shortenFields } from '../../domain/auditEvent.ts';
import { currentFields, recordSearchValues, type Fields, type Resource } from '../../domain/resources.ts';
import { AppError } from '../../errors.ts';
import { refuseChanged, versionOf } from '../../http/etag.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';

/** Changes some fields of a record; two changes of different fields at once both hold. */
export async function updateRecord(
  act: ActionContext,
  resource: Resource,
  id: string,
  change: Fields,
): Promise<StoredRecord> {
  return transaction(act.db, async (trx) => {
    const before = await lockRecord(trx, act.tenantId, resource.name, id);
    if (!before) throw new AppError('not_found');
    refuseChanged(act.expectedVersions, versionOfRecord(before));
    const after = { ...before, data: { ...before.data, ...change }, updatedAt: act.now };
    await updateRecordData(trx, after, recordSearchValues(resource, after.data));
    const was = currentFields(resource, before.data);
    const is = currentFields(resource, after.data);
    if (isChanged(was, is)) {
      await recordAuditEvent(trx, act, {
        action: 'RECORD_UPDATED',
        entityId: id,
        ...shortenFields(changedFields(was, { resource: resource.name, ...is })),
      });
    }
    return after;
  });
}

/** The version of a record: another one after each change. */
export function versionOfRecord({ data, updatedAt }: StoredRecord): string {
  return versionOf({ data, updatedAt });
}

function isChanged(was: Fields, is: Fields): boolean {
  const { before, after } = changedFields(was, is);
  return before !== undefined || after !== undefined;
}
