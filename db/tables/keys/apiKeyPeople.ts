import type { Knex } from 'knex';
import type { Db } from '../../connection/connect.ts';
import { forceIndex } from '../../sql/indexHints.ts';
import { BY_OWNER } from './apiKeyIndexes.ts';

/** Somebody by name: a person, or a key that made another key. */
export interface Named {
  id: string;
  name: string;
}

/**
 * The names of these people and of these keys of the tenant, and the first `most` of its members to whom keys belong, in the
 * order of their names.
 */
export async function findKeyPeople(
  db: Db,
  tenantId: string,
  ids: readonly string[],
  most: number,
): Promise<{ names: ReadonlyMap<string, string>; owners: Named[] }> {
  const named = (rows: Knex.QueryBuilder, owns: 0 | 1) => rows.select('id', 'name', db.raw('? as owns', [owns]));
  const wanted = [...ids];
  const parts: Knex.QueryBuilder[] = [];
  if (wanted.length > 0) {
    const keys = db('api_keys').where({ tenant_id: tenantId }).whereIn('id', wanted);
    parts.push(named(db('users').whereIn('id', wanted), 0), named(keys, 0));
  }
  if (most > 0) parts.push(named(db.from(firstOwners(db, tenantId, most)), 1));
  const [first, ...others] = parts;
  const rows = first ? ((await first.unionAll(others)) as (Named & { owns: number })[]) : [];
  return {
    names: new Map(rows.map(({ id, name }) => [id, name])),
    owners: rows.filter(({ owns }) => owns === 1).map(({ id, name }) => ({ id, name })),
  };
}

function firstOwners(db: Db, tenantId: string, most: number) {
  return owners(db, tenantId)
    .select('users.id', 'users.name')
    .orderBy(['users.name', 'users.id'])
    .limit(most)
    .as('owners');
}

/** What decides what somebody's keys open. */
export interface KeyOwnerRow {
  id: string;
  role: string;
  permissions: string;
  operator: number | boolean;
}

/** The members who can sign in and to whom keys of the tenant belong. */
export async function listKeyOwners(db: Db, tenantId: string): Promise<KeyOwnerRow[]> {
  return owners(db, tenantId)
    .where('users.status', 'active')
    .select<KeyOwnerRow[]>('users.id', 'memberships.role', 'memberships.permissions', 'users.operator');
}

/** One key of each person is looked for along the index of their keys; MariaDB would read all keys of the tenant for `exists`. */
function owners(db: Db, tenantId: string) {
  return db('memberships')
    .join('users', 'users.id', 'memberships.user_id')
    .where({ 'memberships.tenant_id': tenantId })
    .whereRaw('(select 1 from ? where user_id = users.id and tenant_id = ? limit 1) = 1', [
      forceIndex(db, 'api_keys', BY_OWNER),
      tenantId,
    ]);
}
