import type { Db } from '../../../db/connection/connect.ts';
import type { KeyReach as ListedReach } from '../../../db/tables/keys/apiKeyFilter.ts';
import { listKeyOwners } from '../../../db/tables/keys/apiKeyPeople.ts';
import { mayUse, type KeyReach } from '../../auth/requireAccess.ts';
import type { Tenant } from '../../context.ts';
import { permissionsOf, ROLES } from '../../domain/role.ts';
import { BUILT_IN, opens, scopeSetOf } from '../../domain/scopeCatalogue.ts';
import { scopesOf, type Access } from '../../http/access.ts';

/** The people whose keys open something, by their ids. */
export type Owners = ReadonlyMap<string, NonNullable<KeyReach['owner']>>;

/** The people to whom keys of the tenant belong; those who may do nothing any more are left out, since their keys open nothing. */
export async function ownersOfKeys(db: Db, tenantId: string): Promise<Owners> {
  const rows = await listKeyOwners(db, tenantId);
  return new Map(
    rows.map(({ id, role: stored, permissions, operator }) => {
      // A role that this release does not know has the fewest rights.
      const role = ROLES.find((one) => one === stored) ?? 'MEMBER';
      const held = permissionsOf(role, JSON.parse(permissions) as string[]);
      return [id, { id, role, permissions: held, operator: Boolean(operator) }] as const;
    }),
  );
}

/** Whether keys can open a route at all: one of support staff or of proxies takes none, and an open one asks for none. */
export function takesKeys({ kind }: Access): boolean {
  return kind !== 'public' && kind !== 'basic' && kind !== 'proxy';
}

/** Which valid keys of the tenant open a route: whose, and by which scopes, which are never added up. */
export function reachOf(access: Access, tenant: Tenant, owners: Owners): ListedReach[] {
  if (!takesKeys(access)) return [];
  const asked = scopesOf(access);
  const names = [...new Set([...BUILT_IN.names, ...asked])].filter((name) => asked.some((scope) => opens(name, scope)));
  const groups = new Map<string, { owners: (string | null)[]; scopes: string[] }>();
  for (const owner of [null, ...owners.values()]) {
    const reach = (held: string[]) =>
      mayUse({ type: 'api_key', scopes: scopeSetOf(held), owner, tenant, home: tenant }, access);
    const scopes = asked.length === 0 ? [] : names.filter((name) => reach([name]));
    if (asked.length === 0 ? !reach([]) : scopes.length === 0) continue;
    const group = groups.get(scopes.join()) ?? { owners: [], scopes };
    groups.set(scopes.join(), group);
    group.owners.push(owner?.id ?? null);
  }
  return [...groups.values()].map((group) => ({
    owners: group.owners,
    scopes: asked.length === 0 ? undefined : group.scopes,
  }));
}
