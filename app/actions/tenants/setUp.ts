import { transaction } from '../../../db/connection/connect.ts';
import { isDuplicate } from '../../../db/connection/faults.ts';
import { hasAnyUser } from '../../../db/tables/people/users.ts';
import { hashPassword } from '../../auth/passwords.ts';
import type { ActionContext } from '../actionContext.ts';
import { addTenant, type CreatedTenant } from './createTenant.ts';
import { addUser, type CreatedUser } from '../people/createUser.ts';

/** The first person and their tenant, every field checked before. */
export interface FirstPerson {
  email: string;
  name: string;
  password: string;
  tenantName: string;
}

/**
 * The fixed id of the first person: the primary key lets one of several concurrent set-ups through, in any number of
 * processes and on any cluster, where checking for an empty table first could not.
 */
const FIRST_ID = '00000000-0000-7000-8000-000000000001';

/** Creates the first person, an operator, and the tenant they own; undefined if a person exists already. */
export async function setUp(
  act: Pick<ActionContext, 'db' | 'now' | 'origin'>,
  { email, name, password, tenantName }: FirstPerson,
): Promise<{ user: CreatedUser; tenant: CreatedTenant } | undefined> {
  if (await hasAnyUser(act.db)) return undefined;
  const passwordHash = await hashPassword(password, act.origin);
  const actor = { type: 'user', id: FIRST_ID, name } as const;
  try {
    return await transaction(act.db, async (trx) => {
      if (await hasAnyUser(trx)) return undefined;
      const tenant = await addTenant(trx, { ...act, actor }, { name: tenantName });
      const person = {
        email,
        name,
        passwordHash,
        operator: true,
        vouched: true,
        membership: { role: 'OWNER' as const },
      };
      const user = await addUser(trx, { ...act, actor, tenantId: tenant.id }, FIRST_ID, person);
      return { user, tenant };
    });
  } catch (error) {
    if (isDuplicate(error) && (await hasAnyUser(act.db))) return undefined;
    throw error;
  }
}
