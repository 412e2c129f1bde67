import type { Principal } from '../context.ts';
import { iso } from '../domain/times.ts';

/** Who a credential is; a key that never expires has no `expiresAt`. */
export function presentPrincipal(principal: Principal) {
  const { type, id, name, role } = principal;
  const tenant = { id: principal.tenant.id, slug: principal.tenant.slug };
  if (principal.type === 'user') return { type, id, name, tenant, role, permissions: [...principal.permissions] };
  const { scopes, expiresAt } = principal;
  return {
    type,
    id,
    name,
    tenant,
    role,
    scopes: [...scopes.scopes],
    ...(expiresAt !== null && { expiresAt: iso(expiresAt) }),
  };
}
