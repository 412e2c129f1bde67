import type { Principal } from '../../context.ts';

/** The headers by which a proxy tells its backend who calls. */
export const IDENTITY_HEADERS = ['X-Auth-Tenant', 'X-Auth-Key-Id', 'X-Auth-Subject', 'X-Auth-Scopes'] as const;

/** What stands for nobody: a proxy that is given no value may hand on one that the client wrote. */
const NOBODY = '-';

/** Who calls, for the backend behind a proxy: always all of the headers, and none of them empty. */
export function presentIdentity(principal: Principal | undefined): Record<(typeof IDENTITY_HEADERS)[number], string> {
  return {
    'X-Auth-Tenant': principal?.tenant.id ?? NOBODY,
    'X-Auth-Key-Id': principal?.type === 'api_key' ? principal.id : NOBODY,
    'X-Auth-Subject': subjectOf(principal) ?? NOBODY,
    'X-Auth-Scopes': (principal?.type === 'api_key' && principal.scopes.scopes.join(' ')) || NOBODY,
  };
}

/** The person, where there is one; a key of the tenant's own stands for itself, as in an introspection. */
function subjectOf(principal: Principal | undefined): string | undefined {
  return principal?.type === 'api_key' ? (principal.owner?.id ?? principal.id) : principal?.id;
}
