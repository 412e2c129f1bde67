import { z } from 'zod';
import { systemAct } from '../../app/actions/act.ts';
import { addMember } from '../../app/actions/addMember.ts';
import { createUser } from '../../app/actions/createUser.ts';
import { Email } from '../../app/domain/email.ts';
import { ROLES, type Role } from '../../app/domain/role.ts';
import { Name } from '../../app/domain/text.ts';
import { firstPassword } from '../../app/people/firstPassword.ts';
import type { TenantRecord } from '../../db/tables/tenants.ts';
import { findUserByEmail, type User } from '../../db/tables/users.ts';
import type { Args } from './args.ts';
import { UsageError, type Command, type Result, type Workbench } from './command.ts';
import { tenantNamed } from './tenants.ts';

const RoleName = z
  .string()
  .transform((text) => text.toUpperCase())
  .pipe(z.enum(ROLES, `Must be one of ${ROLES.join(', ')}`));

export const userCreate: Command = {
  name: 'user create',
  about: 'Make a person, or take one who exists into another tenant; prints a password unless one is piped in',
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
  const act = systemAct(services.db, tenant.id, now);
  const { id } = await createUser(act, { email, name, password, operator, membership: { role } });
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
  await addMember(systemAct(services.db, tenant.id, now), user.id, { role });
  return {
    lines: [`${user.name} <${user.email}> exists already and is now ${role} of ${tenant.slug}: id ${user.id}`],
    json: { ...described(user.id, user.email, user.name, tenant, role), created: false },
  };
}

function described(id: string, email: string, name: string, tenant: TenantRecord, role: Role) {
  return { id, email, name, tenant: { id: tenant.id, slug: tenant.slug }, role };
}
