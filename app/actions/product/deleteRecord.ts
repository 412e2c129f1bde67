import { transaction } from '../../../db/connection/connect.ts';
import { lockRecord, removeRecord } from '../../../db/tables/product/records.ts';
import { changedFields, shortenFields } from '../../domain/auditEvent.ts';
import { currentFields, type Resource } from '../../domain/resources.ts';
import { AppError } from '../../errors.ts';
import { refuseChanged } from '../../http/etag.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { versionOfRecord } from './updateRecord.ts';

/** Deletes a record for good; what it was is in the audit log. */
export async function deleteRecord(act: ActionContext, resource: Resource, id: string): Promise<void> {
  await transaction(act.db, async (trx) => {
    const record = await lockRecord(trx, act.tenantId, resource.name, id);
    if (!record) throw new AppError('not_found');
    refuseChanged(act.expectedVersions, versionOfRecord(record));
    await removeRecord(trx, record);
    await recordAuditEvent(trx, act, {
      action: 'RECORD_DELETED',
      entityId: id,
      ...shortenFields(changedFields({ resource: resource.name, ...currentFields(resource, record.data) }, null)),
    });
  });
}
