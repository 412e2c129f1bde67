import type { Db } from '../../connection/connect.ts';
import { isSqlite } from '../../connection/rawDb.ts';

/** The indexes of `api_keys` that questions are led along by name. */
export const BY_CREATION = 'api_keys_tenant_id_created_at_id_revoked_at_grace_ends_at_su';
export const BY_END = 'api_keys_tenant_id_expires_at_id_revoked_at_grace_ends_at_su';
export const BY_NAME = 'api_keys_tenant_id_name_id';
export const BY_NAME_SQLITE = 'api_keys_by_name';
/** The keys of a person, of whichever tenant. */
export const BY_OWNER = 'api_keys_user_id';
export const BY_LEAK = 'api_keys_tenant_id_leak_reported_at_id';
export const BY_LAST_USE = 'api_keys_tenant_id_last_used_at_id';

/** When a key ends, as the index that is read has it; null where it never does. */
export const endIn = (db: Db, index: string | undefined) =>
  index === BY_END && !isSqlite(db) ? 'ends_at' : 'coalesce(grace_ends_at, expires_at)';

/** So many characters of the list of a key's scopes are in MySQL's indexes: some forty scopes. */
export const SCOPES_START_LENGTH = 640;

/** The index of the primary key, whose name differs between the databases. */
export const byId = (db: Db) => (isSqlite(db) ? 'sqlite_autoindex_api_keys_1' : 'PRIMARY');
