import { PERMISSIONS, ROLES, type Permission, type Role } from '../../../app/domain/role.ts';
import type { Db } from '../../connection/connect.ts';
import type { Page } from '../../sql/newestFirst.ts';
import { userStatusOf, type UserStatus } from './users.ts';

/** A person's membership of a tenant; `permissions` are those granted beyond the role's. */
export interface Membership {
  tenantId: string;
  userId: string;
  role: Role;
  permissions: readonly Permission[];
}

/** A membership as the person sees it who has it. */
export interface Belonging extends Membership {
  tenant: { id: string; slug: string; name: string };
}

/** A membership with the person in it. */
export interface Member extends Membership {
  /** The person's. */
  id: string;
  email: string;
  name: string;
  status: UserStatus;
  createdAt: number;
}

interface Row {
  tenant_id: string;
  user_id: string;
  role: string;
  permissions: string;
  created_at: number;
  updated_at: number;
}

type MemberRow = Row & { email: string; name: string; status: string };
const MEMBER_COLUMNS = ['memberships.*', 'users.email', 'users.name', 'users.status'];

export async function insertMembership(db: Db, membership: Membership, now: number): Promise<void> {
  const { tenantId, userId, role, permissions } = membership;
  await table(db).insert({
    tenant_id: tenantId,
    user_id: userId,
    role,
    permissions: JSON.stringify(permissions),
    created_at: now,
    updated_at: now,
  });
}

export async function findMembership(db: Db, tenantId: string, userId: string): Promise<Membership | undefined> {
  const row = await table(db).where({ tenant_id: tenantId, user_id: userId }).first();
  return row && membershipOf(row);
}

/** Whether a member of the tenant has this email, with one query whether or not the email has an account. */
export async function isMemberByEmail(db: Db, tenantId: string, email: string): Promise<boolean> {
  const row: unknown = await members(db, tenantId).where('users.email', email).first('memberships.user_id');
  return row !== undefined;
}

/** Finds one membership and locks it until the transaction ends. */
export async function lockMembership(trx: Db, tenantId: string, userId: string): Promise<Membership | undefined> {
  const row = await table(trx).where({ tenant_id: tenantId, user_id: userId }).forUpdate().first();
  return row && membershipOf(row);
}

/** Everything a person belongs to, the longest first. */
export async function belongingsOf(db: Db, userId: string): Promise<Belonging[]> {
  const rows = await table(db)
    .join('tenants', 'tenants.id', 'memberships.tenant_id')
    .where('memberships.user_id', userId)
    .orderBy(['memberships.created_at', 'memberships.tenant_id'])
    .select<(Row & { slug: string; name: string })[]>('memberships.*', 'tenants.slug', 'tenants.name');
  return rows.map((row) => ({
    ...membershipOf(row),
    tenant: { id: row.tenant_id, slug: row.slug, name: row.name },
  }));
}

/**
 * The owners of a tenant who can sign in, held until the transaction ends so that the last one cannot be lost twice at
 * once.
 */
export async function lockOwners(trx: Db, tenantId: string): Promise<string[]> {
  const rows = await table(trx)
    .join('users', 'users.id', 'memberships.user_id')
    .where({ 'memberships.tenant_id': tenantId, 'memberships.role': 'OWNER', 'users.status': 'active' })
    .forUpdate()
    .select<{ user_id: string }[]>('memberships.user_id');
  return rows.map((row) => row.user_id);
}

export async function findMember(db: Db, tenantId: string, userId: string): Promise<Member | undefined> {
  const row = await members(db, tenantId)
    .where('memberships.user_id', userId)
    .first<MemberRow | undefined>(...MEMBER_COLUMNS);
  return row && memberOf(row);
}

/** Lists the members of a tenant, the oldest first, after a position. */
export async function listMembers(db: Db, tenantId: string, { after, limit }: Page): Promise<Member[]> {
  const rows = members(db, tenantId);
  if (after) void rows.where('memberships.user_id', '>', after.id);
  const found = await rows
    .orderBy('memberships.user_id')
    .limit(limit)
    .select<MemberRow[]>(...MEMBER_COLUMNS);
  return found.map(memberOf);
}

export async function changeMembership(db: Db, membership: Membership, now: number): Promise<void> {
  const { tenantId, userId, role, permissions } = membership;
  await table(db)
    .where({ tenant_id: tenantId, user_id: userId })
    .update({ role, permissions: JSON.stringify(permissions), updated_at: now });
}

export async function deleteMembership(db: Db, tenantId: string, userId: string): Promise<void> {
  await table(db).where({ tenant_id: tenantId, user_id: userId }).delete();
}

function members(db: Db, tenantId: string) {
  return table(db).join('users', 'users.id', 'memberships.user_id').where('memberships.tenant_id', tenantId);
}

function table(db: Db) {
  return db<Row>('memberships');
}

function membershipOf(row: Row): Membership {
  const granted = JSON.parse(row.permissions) as unknown[];
  return {
    tenantId: row.tenant_id,
    userId: row.user_id,
    // A role that this release does not know has the fewest rights.
    role: ROLES.find((role) => role === row.role) ?? 'MEMBER',
    permissions: PERMISSIONS.filter((permission) => granted.includes(permission)),
  };
}

function memberOf(row: MemberRow): Member {
  return {
    ...membershipOf(row),
    id: row.user_id,
    email: row.email,
    name: row.name,
    status: userStatusOf(row.status),
    createdAt: row.created_at,
  };
}
