import { z } from 'zod';
import type { Principal } from '../context.ts';
import { PERMISSIONS, ROLES } from '../domain/role.ts';
import { iso } from '../domain/times.ts';

const Known = {
  id: z.string(),
  name: z.string(),
  tenant: z.strictObject({ id: z.string(), slug: z.string() }),
  role: z.enum(ROLES),
};

/** Who a credential is; a key that never expires has no `expiresAt`. */
export const PrincipalAnswer = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('user'), ...Known, permissions: z.array(z.enum(PERMISSIONS)) }),
  z.strictObject({
    type: z.literal('api_key'),
    ...Known,
    scopes: z.array(z.string()),
    expiresAt: z.iso.datetime().optional(),
  }),
]);

export function presentPrincipal(principal: Principal): z.output<typeof PrincipalAnswer> {
  const { id, name, role } = principal;
  const known = { id, name, tenant: { id: principal.tenant.id, slug: principal.tenant.slug }, role };
  if (principal.type === 'user') return { type: 'user', ...known, permissions: [...principal.permissions] };
  const { scopes, expiresAt } = principal;
  return {
    type: 'api_key',
    ...known,
    scopes: [...scopes.scopes],
    ...(expiresAt !== null && { expiresAt: iso(expiresAt) }),
  };
}
