import { z } from 'zod';
import { systemContext } from '../../app/actions/actionContext.ts';
import { addMember } from '../../app/actions/people/addMember.ts';
import { createUser } from '../../app/actions/people/createUser.ts';
import { invitationLink, inviteMember } from '../../app/actions/people/inviteMember.ts';
import { makeResetLink, resetLink } from '../../app/actions/people/resetPassword.ts';
import { Email } from '../../app/domain/email.ts';
import { ROLES, type Role } from '../../app/domain/role.ts';
import { Name } from '../../app/domain/text.ts';
import { iso } from '../../app/domain/times.ts';
import { firstPassword } from '../../app/auth/firstPassword.ts';
import type { TenantRecord } from '../../db/tables/tenants.ts';
import { findUserByEmail, type User } from '../../db/tables/people/users.ts';
import type { ActionContext } from '../../app/actions/actionContext.ts';
import type { Services } from '../../app/services.ts';
import type { Args } from './args.ts';
import type { Command, Result, Workbench } from './command.ts';
import { CommandError, UsageError } from './commandErrors.ts';
import { tenantNamed } from './tenants.ts';

const RoleName = z
  .string()
  .transform((text) => text.toUpperCase())
  .pipe(z.enum(ROLES, `Must be one of ${ROLES.join(', ')}`));

export const userCreate: Command = {
  name: 'user create',
  about:
    'Make a person, or take one who exists into another tenant; prints a password unless one is piped in, or a link for the person to accept where no operator made the account',
  options: {
    email: { value: 'EMAIL', required: true },
    name: { value: 'NAME', required: true },
    tenant: { value: 'TENANT', required: true },
    role: { value: 'ROLE', required: true },
    operator: {},
    'password-stdin': {},
  },
  async run(work, args) {
    const email = args.read('email', Email);
    const tenant = await tenantNamed(work.services.db, args.text('tenant'));
    const role = args.read('role', RoleName);
    const known = await findUserByEmail(work.services.db, email);
    return known ? join(work, args, known, tenant, role) : create(work, args, email, tenant, role);
  },
};

async function create(
  { services, now, readInput }: Workbench,
  args: Args,
  email: string,
  tenant: TenantRecord,
  role: Role,
): Promise<Result> {
  const name = args.read('name', Name);
  const operator = args.flag('operator');
  const given = args.flag('password-stdin') ? (await readInput()).replace(/\r?\n$/, '') : undefined;
  const password = given ?? firstPassword();
  const act = systemContext(services.db, tenant.id, now);
  const { id } = await createUser(act, { email, name, password, operator, vouched: true, membership: { role } });
  return {
    lines: [
      `Created ${name} <${email}>, ${role} of ${tenant.slug}: id ${id}`,
      ...(given === undefined ? [`Password, shown this once: ${password}`] : []),
    ],
    json: { ...described(id, email, name, tenant, role), created: true, ...(given === undefined && { password }) },
  };
}

async function join(
  { services, now }: Workbench,
  args: Args,
  user: User,
  tenant: TenantRecord,
  role: Role,
): Promise<Result> {
  if (args.flag('password-stdin') || args.flag('operator')) {
    throw new UsageError(`${user.email} exists already: --password-stdin and --operator are only for somebody new`);
  }
  const act = systemContext(services.db, tenant.id, now);
  // An earlier invitee may have made this account, so only the person who gets the link can confirm that it is theirs.
  if (!user.vouched) return invite(services, act, user, tenant, role);
  await addMember(act, user.id, { role });
  return {
    lines: [`${user.name} <${user.email}> exists already and is now ${role} of ${tenant.slug}: id ${user.id}`],
    json: { ...described(user.id, user.email, user.name, tenant, role), created: false },
  };
}

async function invite(
  { config }: Services,
  act: ActionContext,
  { id, email, name }: User,
  tenant: TenantRecord,
  role: Role,
): Promise<Result> {
  const { invitation, token } = await inviteMember(act, { email, role });
  const url = invitationLink(config.publicUrl, token);
  return {
    lines: [
      `${name} <${email}> exists already, by an account that no operator made: invited as ${role} of ${tenant.slug}`,
      `Link to accept, shown this once, until ${iso(invitation.expiresAt)}: ${url}`,
    ],
    json: {
      ...described(id, email, name, tenant, role),
      created: false,
      invitation: { id: invitation.id, url, expiresAt: iso(invitation.expiresAt) },
    },
  };
}

export const userResetLink: Command = {
  name: 'user reset-link',
  about:
    'Print a link by which a person chooses a new password, once, within a day; then their sessions and tokens end',
  options: { email: { value: 'EMAIL', required: true } },
  async run({ services, now }, args) {
    const { config, db } = services;
    const email = args.read('email', Email);
    const user = await findUserByEmail(db, email);
    if (!user) throw new CommandError(`Nobody has the email ${email}.`);
    const { token, expiresAt } = await makeResetLink(systemContext(db, '', now), user.id);
    const url = resetLink(config.publicUrl, token);
    return {
      lines: [
        `Link for ${user.name} <${email}> to choose a new password, shown this once, until ${iso(expiresAt)}:`,
        url,
      ],
      json: { id: user.id, email, url, expiresAt: iso(expiresAt) },
    };
  },
};

function described(id: string, email: string, name: string, tenant: TenantRecord, role: Role) {
  return { id, email, name, tenant: { id: tenant.id, slug: tenant.slug }, role };
}
