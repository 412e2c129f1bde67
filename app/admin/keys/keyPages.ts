import type { Db } from '../../../db/connection/connect.ts';
import { findRelatedKeys } from '../../../db/tables/keys/apiKeyRotations.ts';
import { findApiKey, findApiKeys, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { principalOf, type Context } from '../../context.ts';
import { isId } from '../../domain/id.ts';
import { keyStatus } from '../../domain/keyStatus.ts';
import { maskKey } from '../../domain/token.ts';
import { AppError } from '../../errors.ts';
import { pathId } from '../../http/pathId.ts';
import type { Services } from '../../services.ts';
import { isPartial } from '../../http/redirect.ts';
import { PAGE_SIZE } from './keyList.ts';
import type { Page, Pages } from '../shell/pages.ts';

/** Finds the key of the path after storing its latest uses; a key of another tenant is not found. */
export async function findKeyOfPath(ctx: Context, { db, usage }: Pick<Services, 'db' | 'usage'>): Promise<ApiKey> {
  const id = pathId(ctx);
  await usage.flush();
  const key = await findApiKey(db, principalOf(ctx).tenant.id, id);
  if (!key) throw new AppError('not_found', 'no_such_key');
  return key;
}

/** Finds the key of the path for pages that change it; a revoked or expired key is 409. */
export async function findActiveKeyOfPath(ctx: Context, services: Pick<Services, 'db' | 'usage'>): Promise<ApiKey> {
  const key = await findKeyOfPath(ctx, services);
  const status = keyStatus(key, Date.now());
  if (status === 'revoked' || status === 'expired') throw new AppError('key_not_active', `key_is_${status}`);
  return key;
}

/** What the work gives, or undefined where the key has ended in the meantime. */
export async function unlessEnded<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'key_not_active') return undefined;
    throw error;
  }
}

/** The ticked keys, at most one page of them, in the order in which they were ticked. */
export async function findTickedKeys(ctx: Context, db: Db, fields: URLSearchParams): Promise<ApiKey[]> {
  const ids = [...new Set(fields.getAll('id'))].filter(isId).slice(0, PAGE_SIZE);
  const found = new Map((await findApiKeys(db, principalOf(ctx).tenant.id, ids)).map((key) => [key.id, key]));
  return ids.flatMap((id) => found.get(id) ?? []);
}

/** A key that works beside another one, as pages name it; its end is null where nothing has replaced it. */
export interface RelatedKey {
  id: string;
  masked: string;
  graceEndsAt: number | null;
}

/** The keys that a rotation left working beside this one. */
export async function relatedKeys(
  db: Db,
  key: ApiKey,
  now: number,
): Promise<{ older: RelatedKey[]; newer: RelatedKey[] }> {
  const { older, newer } = await findRelatedKeys(db, key, now);
  return { older: older.map(relatedKey), newer: newer.map(relatedKey) };
}

function relatedKey({ id, keyPrefix, lastFour, graceEndsAt }: ApiKey): RelatedKey {
  return { id, masked: maskKey(keyPrefix, lastFour), graceEndsAt };
}

/** Whether the reader may manage keys. */
export function mayManageKeys(ctx: Context): boolean {
  const principal = principalOf(ctx);
  return principal.type === 'user' && principal.permissions.has('api-keys:manage');
}

/** Shows a dialog over the page if htmx asks, else as a page of its own. */
export async function showDialog(
  pages: Pages,
  ctx: Context,
  body: string,
  { title, here, locals = {}, section = 'keys' }: Pick<Page, 'title' | 'here' | 'locals' | 'section'>,
): Promise<void> {
  await pages.show(ctx, 'keys/dialog', {
    title,
    section,
    part: `keys/${body}`,
    locals: { ...locals, body: `keys/${body}.njk`, inPage: !isPartial(ctx) },
    ...(here !== undefined && { here }),
  });
}
