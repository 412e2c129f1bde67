import type { Knex } from 'knex';
import { readPolicy, type Policy } from '../../app/domain/policy.ts';
import { isId } from '../../app/domain/id.ts';
import { slugStem } from '../../app/domain/slug.ts';
import { useIndex } from '../sql/indexHints.ts';
import type { Db } from '../connection/connect.ts';
import { containsPattern, LIKE } from '../sql/like.ts';

export const TENANT_STATUSES = ['active', 'suspended'] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];

export interface TenantRecord {
  id: string;
  slug: string;
  name: string;
  externalId: string | null;
  status: TenantStatus;
  policy: Policy;
  plan: string;
  createdAt: number;
  updatedAt: number;
}

interface Row {
  id: string;
  slug: string;
  name: string;
  external_id: string | null;
  status: string;
  policy: string | null;
  plan: string;
  created_at: number;
  updated_at: number;
}

export interface NewTenant {
  id: string;
  slug: string;
  name: string;
  externalId: string | null;
}

export async function insertTenant(db: Db, tenant: NewTenant, now: number): Promise<void> {
  const { id, slug, name, externalId } = tenant;
  await table(db).insert({ id, slug, name, external_id: externalId, created_at: now, updated_at: now });
}

export async function findTenant(db: Db, id: string): Promise<TenantRecord | undefined> {
  const row = await table(db).where({ id }).first();
  return row && tenantOf(row);
}

/** The tenant as people name it: by id or by slug. */
export async function findTenantNamed(db: Db, name: string): Promise<TenantRecord | undefined> {
  const lower = name.toLowerCase();
  const row = await table(db)
    .where(isId(lower) ? { id: lower } : { slug: name })
    .first();
  return row && tenantOf(row);
}

/** Finds one tenant and locks it until the transaction ends. */
export async function lockTenant(trx: Db, id: string): Promise<TenantRecord | undefined> {
  const row = await table(trx).where({ id }).forUpdate().first();
  return row && tenantOf(row);
}

export async function listTenants(db: Db): Promise<TenantRecord[]> {
  const rows = await table(db).orderBy(['created_at', 'id']);
  return rows.map(tenantOf);
}

/** Which tenants to list: those with this text in one of their names, with this external id, in this status. */
export interface TenantFilter {
  q?: string | undefined;
  externalId?: string | undefined;
  status?: TenantStatus | undefined;
}

/** The newest tenants that the filter lets through, a page of them, and how many there are. */
export async function pageOfTenants(
  db: Db,
  { q = '', externalId, status }: TenantFilter,
  { offset, limit }: { offset: number; limit: number },
): Promise<{ tenants: TenantRecord[]; total: number }> {
  const matching = (source: string | Knex.Raw) => {
    const rows = db<Row>(source);
    // MySQL compares this column without regard to case, which is right for a search alone.
    if (externalId !== undefined)
      void rows.where({ external_id: externalId }).whereRaw('hex(external_id) = hex(?)', [externalId]);
    if (status !== undefined) void rows.where({ status });
    return q === '' ? rows : rows.where((row) => whereText(row, q));
  };
  // With an external id, its own index finds the few rows at once.
  const source = externalId === undefined ? useIndex(db, 'tenants', 'tenants_created_at_id') : 'tenants';
  const rows = await matching(source)
    .orderBy([
      { column: 'created_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(limit)
    .offset(offset)
    .select('*');
  const [counted] = await matching('tenants').count<{ total: number }[]>({ total: '*' });
  return { tenants: rows.map(tenantOf), total: counted?.total ?? 0 };
}

function whereText(row: Knex.QueryBuilder, text: string): void {
  void row.whereRaw(`name ${LIKE}`, [containsPattern(text)]).orWhereRaw(`external_id ${LIKE}`, [containsPattern(text)]);
  // These two are compared byte by byte, and have no capitals.
  const lower = text.toLowerCase();
  void row.orWhereRaw(`slug ${LIKE}`, [containsPattern(lower)]).orWhereRaw(`id ${LIKE}`, [containsPattern(lower)]);
}

/** The tenants with these ids. */
export async function findTenants(db: Db, ids: readonly string[]): Promise<TenantRecord[]> {
  if (ids.length === 0) return [];
  const rows = await table(db).whereIn('id', [...ids]);
  return rows.map(tenantOf);
}

/** The slugs in use that a numbered form of this one could meet. */
export async function slugsLike(db: Db, slug: string): Promise<Set<string>> {
  const stem = `${slugStem(slug)}-`;
  const rows = await table(db)
    .select('slug')
    .where({ slug })
    // A dot sorts right after a hyphen, so all slugs with the stem lie between.
    .orWhere((either) => void either.where('slug', '>=', stem).andWhere('slug', '<', `${stem.slice(0, -1)}.`));
  return new Set(rows.map((row) => row.slug));
}

export interface TenantChange {
  name?: string;
  slug?: string;
  externalId?: string | null;
  status?: TenantStatus;
  policy?: Policy;
  plan?: string;
}

export async function changeTenant(db: Db, id: string, change: TenantChange, now: number): Promise<void> {
  const { externalId, policy, ...same } = change;
  await table(db)
    .where({ id })
    .update({
      ...same,
      ...(externalId !== undefined && { external_id: externalId }),
      ...(policy !== undefined && { policy: JSON.stringify(policy) }),
      updated_at: now,
    });
}

function table(db: Db) {
  return db<Row>('tenants');
}

function tenantOf(row: Row): TenantRecord {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    externalId: row.external_id,
    // A status that this release does not know counts as suspended.
    status: row.status === 'active' ? 'active' : 'suspended',
    policy: readPolicy(row.policy),
    plan: row.plan,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
