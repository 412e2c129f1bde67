import type { Db } from '../../db/connect.ts';
import { lockApiKey, type ApiKey } from '../../db/tables/apiKeys.ts';
import { whyNotValid } from '../domain/keyStatus.ts';
import { AppError } from '../errors.ts';

/** The tenant's key, held until the transaction ends; one of another tenant does not exist. */
export async function holdKey(trx: Db, tenantId: string, id: string): Promise<ApiKey> {
  const key = await lockApiKey(trx, tenantId, id);
  if (!key) throw new AppError('not_found', 'There is no such API key.');
  return key;
}

/** Refuses to change what can never be used again. */
export function refuseDead(key: ApiKey, now: number): void {
  const reason = whyNotValid(key, now);
  if (reason) throw new AppError('key_not_active', `This key is ${reason}.`);
}
