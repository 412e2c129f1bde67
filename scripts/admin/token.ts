import { systemContext } from '../../app/actions/actionContext.ts';
import { recordAuditEvent } from '../../app/actions/auditRecord.ts';
import { changedFields } from '../../app/domain/auditEvent.ts';
import { Email } from '../../app/domain/email.ts';
import { permissionsOf } from '../../app/domain/role.ts';
import { issueToken } from '../../app/auth/tokens.ts';
import { findMembership } from '../../db/tables/people/memberships.ts';
import { findUserByEmail } from '../../db/tables/people/users.ts';
import type { Command } from './command.ts';
import { CommandError } from './commandErrors.ts';
import { tenantNamed } from './tenants.ts';

export const tokenCommand: Command = {
  name: 'token',
  about: 'Print a Bearer token for a person in a tenant, and nothing else',
  options: { email: { value: 'EMAIL', required: true }, tenant: { value: 'TENANT', required: true } },
  async run({ services, now }, args) {
    const { config, db, secret } = services;
    const email = args.read('email', Email);
    const tenant = await tenantNamed(db, args.text('tenant'));
    const user = await findUserByEmail(db, email);
    const membership = user && (await findMembership(db, tenant.id, user.id));
    if (!membership) throw new CommandError(`${email} is no member of ${tenant.slug}.`);
    if (user.status !== 'active') throw new CommandError(`${email} is disabled.`);
    const { role } = membership;
    const permissions = permissionsOf(role, membership.permissions);
    const token = issueToken(config.jwt, secret, { userId: user.id, tenantId: tenant.id, role, permissions }, now);
    // The token acts as that person, so the owners of their tenant see in the audit log that it was issued.
    await recordAuditEvent(db, systemContext(db, tenant.id, now), {
      action: 'LOGIN',
      entityId: user.id,
      ...changedFields(null, { email }),
    });
    return { lines: [token], json: { token, expiresIn: config.jwt.ttlSeconds } };
  },
};
