import type { Actor } from '../../../app/domain/auditEvent.ts';
import type { InvitationStatus } from '../../../app/domain/invitation.ts';
import { PERMISSIONS, ROLES, type Permission, type Role } from '../../../app/domain/role.ts';
import type { Db } from '../../connection/connect.ts';
import type { Page } from '../../sql/newestFirst.ts';

/** A membership that waits for the person with this email to accept it. */
export interface Invitation {
  id: string;
  tenantId: string;
  /** In its one spelling. */
  email: string;
  role: Role;
  /** Beyond what the role gives. */
  permissions: readonly Permission[];
  status: InvitationStatus;
  inviter: Actor;
  createdAt: number;
  expiresAt: number;
}

/** An invitation with the names that its page shows. */
export interface OpenedInvitation extends Invitation {
  tenantName: string;
  tenantActive: boolean;
}

interface Row {
  id: string;
  tenant_id: string;
  email: string;
  role: string;
  permissions: string;
  token_hash: Uint8Array;
  status: string;
  inviter_type: string;
  inviter_id: string | null;
  inviter_name: string | null;
  created_at: number;
  updated_at: number;
  expires_at: number;
}

/** Inserts an invitation and deletes this tenant's earlier ones to the same email. */
export async function replaceInvitation(trx: Db, invitation: Invitation, tokenHash: Buffer): Promise<void> {
  const { id, tenantId, email, role, permissions, status, inviter, createdAt, expiresAt } = invitation;
  await table(trx).where({ tenant_id: tenantId, email }).delete();
  await table(trx).insert({
    id,
    tenant_id: tenantId,
    email,
    role,
    permissions: JSON.stringify(permissions),
    token_hash: tokenHash,
    status,
    inviter_type: inviter.type,
    inviter_id: inviter.id,
    inviter_name: inviter.name,
    created_at: createdAt,
    updated_at: createdAt,
    expires_at: expiresAt,
  });
}

/** A pending invitation of the tenant, its time over or not. */
export async function findInvitation(db: Db, tenantId: string, id: string): Promise<Invitation | undefined> {
  const row = await table(db).where({ tenant_id: tenantId, id, status: 'pending' }).first();
  return row && invitationOf(row);
}

/** Finds one invitation and locks it until the transaction ends, so that it is answered once. */
export async function lockInvitation(trx: Db, tenantId: string, id: string): Promise<Invitation | undefined> {
  const row = await table(trx).where({ tenant_id: tenantId, id, status: 'pending' }).forUpdate().first();
  return row && invitationOf(row);
}

/** Finds the invitation of a link's token in any status and any tenant. */
export async function findInvitationByHash(db: Db, tokenHash: Buffer): Promise<OpenedInvitation | undefined> {
  const row = await table(db)
    .join('tenants', 'tenants.id', 'invitations.tenant_id')
    .where('invitations.token_hash', tokenHash)
    .first<(Row & { tenant_name: string; tenant_status: string }) | undefined>(
      'invitations.*',
      'tenants.name as tenant_name',
      'tenants.status as tenant_status',
    );
  return row && { ...invitationOf(row), tenantName: row.tenant_name, tenantActive: row.tenant_status === 'active' };
}

/** Lists the pending invitations of a tenant, the oldest first, after a position. */
export async function listInvitations(db: Db, tenantId: string, { after, limit }: Page): Promise<Invitation[]> {
  const pending = table(db).where({ tenant_id: tenantId, status: 'pending' });
  if (after) void pending.where('id', '>', after.id);
  return (await pending.orderBy('id').limit(limit)).map(invitationOf);
}

export async function endInvitation(
  db: Db,
  tenantId: string,
  id: string,
  status: Exclude<InvitationStatus, 'pending'>,
  now: number,
): Promise<void> {
  await table(db).where({ tenant_id: tenantId, id }).update({ status, updated_at: now });
}

function table(db: Db) {
  return db<Row>('invitations');
}

const STATUSES = ['pending', 'accepted', 'declined', 'withdrawn'] as const satisfies InvitationStatus[];
const INVITERS = ['user', 'api_key', 'system'] as const satisfies Actor['type'][];

function invitationOf(row: Row): Invitation {
  const granted = JSON.parse(row.permissions) as unknown[];
  return {
    id: row.id,
    tenantId: row.tenant_id,
    email: row.email,
    role: ROLES.find((role) => role === row.role) ?? 'MEMBER',
    permissions: PERMISSIONS.filter((permission) => granted.includes(permission)),
    // A status that this release does not know cannot be accepted.
    status: STATUSES.find((status) => status === row.status) ?? 'withdrawn',
    inviter: {
      type: INVITERS.find((type) => type === row.inviter_type) ?? 'anonymous',
      id: row.inviter_id,
      name: row.inviter_name,
    },
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
