/** What every server under test answers with, of the shape and size of Latchkey's own `GET /api/v1/whoami`. */
export const ANSWER = {
  type: 'api_key',
  id: '01932a5c-4f00-7000-8000-000000000007',
  name: 'key 000007 of the nightly export',
  tenant: { id: '01932a5c-4f00-7000-8000-100000000000', slug: 'tenant-000000' },
  role: 'MEMBER',
  scopes: ['read', 'projects:write', 'orders:read'],
  environment: 'live',
  owner: null,
  expiresAt: null,
};

/** The one address that is asked for, on every server. */
export const PATH = '/api/v1/whoami';

/** What bare Koa answers to a JSON body, of the shape and size of Latchkey's own `POST /api/v1/keys/verify`. */
export const VERDICT = {
  valid: true,
  code: 'valid',
  keyId: ANSWER.id,
  tenantId: ANSWER.tenant.id,
  name: ANSWER.name,
  scopes: ANSWER.scopes,
  environment: ANSWER.environment,
  externalId: null,
  metadata: {},
  expiresAt: null,
  rateLimit: { limit: 999_999_999, remaining: 999_999_998, resetSeconds: 60 },
};
