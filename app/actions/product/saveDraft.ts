import { transaction, type Db } from '../../../db/connection/connect.ts';
import { isDuplicate } from '../../../db/connection/faults.ts';
import { insertDraft, lockDraftNamed, updateDraft, type Draft } from '../../../db/tables/product/builderDrafts.ts';
import { insertDraftVersion, type DraftVersion } from '../../../db/tables/product/builderDraftVersions.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { newId } from '../../domain/id.ts';
import { creatorOf, type ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { makeOnce } from '../makeOnce.ts';

export interface DraftInput {
  name: string;
  /** Any JSON. */
  content: unknown;
}

export interface SavedDraft {
  draft: Draft;
  saved: DraftVersion;
}

/** Saves the first version of a new name, or the next version of a known one; no version is ever overwritten. */
export async function saveDraft(act: ActionContext, input: DraftInput): Promise<SavedDraft> {
  const save = async () =>
    transaction(act.db, async (trx) => makeOnce(trx, act, async () => storeVersion(trx, act, input)));
  try {
    return await save();
  } catch (error) {
    // Another request has just saved the first version under this name.
    if (isDuplicate(error)) return save();
    throw error;
  }
}

async function storeVersion(trx: Db, act: ActionContext, { name, content }: DraftInput): Promise<SavedDraft> {
  const { tenantId, now } = act;
  const maker = creatorOf(act);
  const known = await lockDraftNamed(trx, tenantId, name);
  const draft: Draft = known
    ? { ...known, version: known.version + 1, updatedAt: now }
    : { id: newId(), tenantId, name, version: 1, ...maker, createdAt: now, updatedAt: now };
  const { id: draftId, version } = draft;
  const saved = { draftId, version, tenantId, content, ...maker, createdAt: now };
  await (known ? updateDraft(trx, draft) : insertDraft(trx, draft));
  await insertDraftVersion(trx, saved);
  // What it holds is kept with the version.
  await recordAuditEvent(trx, act, {
    action: 'DRAFT_SAVED',
    entityId: draftId,
    ...changedFields(known ? { version: known.version } : null, { name, version }),
  });
  return { draft, saved };
}
