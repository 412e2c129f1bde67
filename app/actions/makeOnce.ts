import type { Db } from '../../db/connection/connect.ts';
import { reserveIdempotentRequest, storeIdempotentAnswer } from '../../db/tables/idempotentRequests.ts';
import { inProgress } from '../http/idempotency.ts';
import type { ActionContext } from './actionContext.ts';

/**
 * Makes something in a transaction of the caller, once for each idempotent request: its name and its answer are stored in
 * the same transaction, so that none of them exists without the others.
 */
export async function makeOnce<T>(
  trx: Db,
  { once, now }: Pick<ActionContext, 'once' | 'now'>,
  make: () => Promise<T>,
): Promise<T> {
  if (!once) return make();
  if (!(await reserveIdempotentRequest(trx, once.request, now))) throw inProgress();
  const made = await make();
  await storeIdempotentAnswer(trx, once.request.id, JSON.stringify(await once.answerTo(made, trx)));
  once.isKept = true;
  return made;
}
