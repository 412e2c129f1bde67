import { isApiPath } from '../http/apiPaths.ts';
import type { Route } from '../http/table.ts';
import { exampleOf } from './example.ts';
import { operationOf, templateOf } from './operation.ts';
import { HEADERS, PROBLEM_SCHEMA, ProblemResponses } from './responses.ts';
import { Schemas, type Json } from './schemas.ts';
import { securitySchemes } from './security.ts';
import { describedTags } from './tags.ts';

const DESCRIPTION = `Latchkey issues, scopes, verifies, rotates, revokes, limits and audits API keys for multi-tenant products.

**Credentials.** Send exactly one: an API key as \`x-api-key: …\`, \`Authorization: ApiKey …\` or \`Authorization: Bearer …\`, or a
token of \`POST /api/auth/login\` as \`Authorization: Bearer …\`.

**Two prefixes, one API.** Below \`/api/v1\` the credential names its tenant. Below \`/api\` the caller names it, by id or slug, in
\`x-tenant-id\`. What takes no credential takes no tenant either, and is there once.

**Every tenant.** A key with \`platform:tenants\` manages tenants by \`/tenants\`, and, where it holds \`api-keys:read\` or
\`api-keys:write\` too, the keys of the tenant that it names in \`x-tenant-id\`: with scopes that it holds itself, and without its
own networks, expiry, limit and quota, which are for itself.

**Limits.** A key is counted by itself, a valid token by its person, everything else by its address. \`RateLimit\` and
\`RateLimit-Policy\` say which limit counted (\`key\`, \`person\` or \`address\`) and what is left; 429 carries \`Retry-After\`.

**Problems** are \`application/problem+json\` with a stable \`code\`. A method that an address does not take is 405
\`method_not_allowed\`, with those it does take in \`Allow\`.`;

/** The OpenAPI document of these routes, pages left out: what a route states of itself and nothing else. */
export function openApiDocument(routes: readonly Route[], version: string): Json {
  const documented = routes.filter(({ path }) => isApiPath(path));
  const shared = { schemas: new Schemas(), refusals: new ProblemResponses() };
  const paths: Record<string, Json> = {};
  for (const route of [...documented].sort(byPath)) {
    const path = templateOf(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, shared) };
  }
  const { schemas, refusals } = shared;
  return {
    openapi: '3.1.0',
    info: {
      title: 'Latchkey',
      version,
      summary: 'API keys for multi-tenant products',
      description: DESCRIPTION,
      contact: { name: 'The operator of this installation' },
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'This installation' }],
    tags: describedTags(documented),
    paths,
    components: {
      securitySchemes: securitySchemes(documented.map(({ access }) => access)),
      parameters: PARAMETERS,
      headers: HEADERS,
      schemas: { ...withExamples(schemas), Problem: PROBLEM_SCHEMA },
      responses: refusals.named,
    },
  };
}

const TENANT = { name: 'x-tenant-id', in: 'header', schema: { type: 'string' } };

const PARAMETERS: Json = {
  Tenant: { ...TENANT, required: true, description: 'The tenant to act for: its id or slug.' },
  TenantIfSeveral: {
    ...TENANT,
    required: false,
    description: 'The tenant to act for: its id or slug. Only a person of several tenants has to say.',
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[ -~]+$' },
    description:
      'A name for this request, such as a UUID, under which it makes something once in 24 hours: the same request again answers what was made, with `Idempotency-Replayed: true` and without a secret. A request that fails leaves the name free.',
  },
  Force: {
    name: 'force',
    in: 'query',
    required: false,
    description: 'Makes the change although something stands against it, which the answer then names.',
    schema: { type: 'boolean', default: false },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    required: false,
    schema: { type: 'string' },
    description:
      'The `ETag` of what is to be changed. Where somebody has changed it since, the answer is 412 `changed_meanwhile` and nothing is changed. `*` is any version.',
  },
};

function withExamples(schemas: Schemas): Json {
  const named = Object.entries(schemas.named as Record<string, Json>);
  return Object.fromEntries(
    named.map(([name, schema]) => [name, { ...schema, examples: [exampleOf(schema, schemas)] }]),
  );
}

/** By path, and each path's methods as people think of them. */
function byPath(a: Route, b: Route): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return METHODS.indexOf(a.method) - METHODS.indexOf(b.method);
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
