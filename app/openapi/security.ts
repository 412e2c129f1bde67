import { isAboutKeys, scopesOf, type Access } from '../http/access.ts';
import type { Json } from './schemas.ts';

/** The security schemes; that of support staff only if there are any. */
export function securitySchemes(accesses: readonly Access[]): Json {
  const hasStaff = accesses.some(({ kind }) => kind === 'basic');
  return { ...SCHEMES, ...(hasStaff && { BasicAuth: BASIC }) };
}

/**
 * Generated clients send every scheme of an operation that they have a credential for, and two credentials are refused. So
 * all schemes share one header, and `x-api-key`, which takes a key as well, is told in words alone.
 */
const SCHEMES: Json = {
  BearerAuth: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A token of POST /api/auth/login, or an API key: `Bearer fsk_live_…`. A tenant can choose to take no keys this way.',
  },
  ApiKeyAuthorization: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description:
      'The word ApiKey, a space and an API key: `ApiKey fsk_live_…`. The header `x-api-key` takes the key without the word; send it in one of them alone.',
  },
};

const BASIC: Json = { type: 'http', scheme: 'basic', description: 'The user and password of support staff.' };

/** Which credentials open a route; each alone will do. */
export function securityOf(access: Access): Json[] {
  if (access.kind === 'public') return [];
  // The client's credential, which the rules may do without.
  if (access.kind === 'proxy') return [{ BearerAuth: [] }, { ApiKeyAuthorization: [] }, {}];
  if (access.kind === 'basic') return [{ BasicAuth: [] }];
  if (access.kind === 'permission' && access.keyScope === undefined) return [{ BearerAuth: [] }];
  // Each scope that would do is an alternative of its own, since those of one entry are all asked for.
  const scopes = scopesOf(access).map((scope) => [scope]);
  const alternatives = scopes.length > 0 ? scopes : [[]];
  return [
    ...alternatives.map((one) => ({ BearerAuth: one })),
    ...alternatives.map((one) => ({ ApiKeyAuthorization: one })),
  ];
}

/** The required access as a sentence. */
export function accessSentence(access: Access): string {
  switch (access.kind) {
    case 'public':
      return 'Takes no credential.';
    case 'anyone':
      return 'Takes any valid credential.';
    case 'basic':
      return 'For support staff.';
    case 'proxy':
      return 'For the proxies in `FORWARD_AUTH_PEERS`, which hand on the client’s credential; what it must hold is in the forward-auth rules. Answers any method.';
    case 'scope':
      return sentenceOfScope(access);
    case 'permission':
      return sentenceOfPermission(access);
  }
}

function sentenceOfScope({ scope, platformScope }: Access & { kind: 'scope' }): string {
  const across = platformScope === undefined ? '' : `, or \`${platformScope}\` for every tenant`;
  return `Takes the scope \`${scope}\`${across}.`;
}

function sentenceOfPermission({ permission, keyScope }: Access & { kind: 'permission' }): string {
  const person = `Takes a person with the permission \`${permission}\``;
  if (keyScope === undefined) return `${person}; no API key may do this.`;
  const where = isAboutKeys(keyScope) ? ' where the tenant’s policy lets keys manage keys' : '';
  return `${person}, or an API key with the scope \`${keyScope}\`${where}.`;
}
