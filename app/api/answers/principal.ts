import { z } from 'zod';
import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import type { User } from '../../../db/tables/people/users.ts';
import type { KeyHolder, Person, Principal } from '../../context.ts';
import { PermissionName, ROLES } from '../../domain/role.ts';
import { iso } from '../../domain/times.ts';

const Known = {
  id: z.string(),
  name: z.string(),
  tenant: z.strictObject({ id: z.string(), slug: z.string() }),
  role: z.enum(ROLES),
};

const PersonAnswer = z.strictObject({ type: z.literal('user'), ...Known, permissions: z.array(PermissionName) });

const HolderAnswer = z.strictObject({
  type: z.literal('api_key'),
  ...Known,
  scopes: z.array(z.string()),
  expiresAt: z.iso.datetime().optional(),
  user: z
    .strictObject({ id: z.string(), name: z.string(), email: z.email() })
    .meta({ description: 'The person the key belongs to; absent from a service token of the tenant.' })
    .optional(),
});

/** Who a credential is; a key that never expires has no `expiresAt`. */
export const PrincipalAnswer = z.discriminatedUnion('type', [PersonAnswer, HolderAnswer]);

const SelfKeyAnswer = HolderAnswer.extend({ description: z.string().nullable() });

/** The principal with the fields that a key may change of itself. */
export const SelfAnswer = z.discriminatedUnion('type', [PersonAnswer, SelfKeyAnswer]);

/** Whom a key belongs to, as its answers name them. */
export type NamedPerson = Pick<User, 'id' | 'name' | 'email'>;

export function presentPrincipal(principal: Principal, user?: NamedPerson): z.output<typeof PrincipalAnswer> {
  return principal.type === 'user' ? presentPerson(principal) : presentHolder(principal, user);
}

/** A key under the name it has now, which may be younger than the request's principal. */
export function presentSelf(
  holder: KeyHolder,
  { name, description }: Pick<ApiKey, 'name' | 'description'>,
  user?: NamedPerson,
): z.output<typeof SelfKeyAnswer> {
  return { ...presentHolder(holder, user), name, description };
}

export function presentPerson(person: Person): z.output<typeof PersonAnswer> {
  return { type: 'user', ...presentKnown(person), permissions: [...person.permissions] };
}

function presentHolder(holder: KeyHolder, user: NamedPerson | undefined): z.output<typeof HolderAnswer> {
  const { scopes, expiresAt } = holder;
  const { id, name, tenant, role } = presentKnown(holder);
  const answer: z.output<typeof HolderAnswer> = { type: 'api_key', id, name, tenant, role, scopes: [...scopes.scopes] };
  if (expiresAt !== null) answer.expiresAt = iso(expiresAt);
  if (user) answer.user = { id: user.id, name: user.name, email: user.email };
  return answer;
}

function presentKnown({ id, name, tenant, role }: Principal) {
  return { id, name, tenant: { id: tenant.id, slug: tenant.slug }, role };
}
