import type { CreatedTenant } from '../../actions/tenants/createTenant.ts';
import type { CreatedUser } from '../../actions/people/createUser.ts';
import { pathOfOrganisation } from '../../http/organisationPath.ts';
import { curl } from '../shell/curl.ts';

/** The page after the set-up: the account, and two ways to a first key of this name: the form, or two commands. */
export function presentFirstSteps(
  origin: string,
  { user, tenant }: { user: CreatedUser; tenant: CreatedTenant },
  keyName: string,
): { email: string; tenant: { name: string; slug: string }; newKey: string; login: string; createKey: string } {
  const login = { email: user.email, password: 'YOUR PASSWORD' };
  return {
    email: user.email,
    tenant: { name: tenant.name, slug: tenant.slug },
    newKey: pathOfOrganisation(tenant, `/api-keys/new?${new URLSearchParams({ name: keyName }).toString()}`),
    login: curl(origin, '/api/auth/login', [], login),
    createKey: curl(origin, '/api/v1/api-keys', ['Authorization: Bearer TOKEN'], { name: keyName }),
  };
}
