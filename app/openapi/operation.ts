import type { Route } from '../http/table.ts';
import { smallestExampleOf } from './example.ts';
import { problemsOf } from './problems.ts';
import { successResponse, NOT_MODIFIED, type ProblemResponses } from './responses.ts';
import type { Json, Schemas } from './schemas.ts';
import { securityOf, accessSentence } from './security.ts';
import { tagOf } from './tags.ts';

/** The schemas and responses that all operations share. */
export interface Shared {
  schemas: Schemas;
  refusals: ProblemResponses;
}

/** The path as OpenAPI writes it: `/api/v1/api-keys/{id}`. */
export function templateOf(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}');
}

/** The operation of a route: its access, its input and all its answers. */
export function operationOf(route: Route, { schemas, refusals }: Shared): Json {
  const { access, answers } = route;
  const responses: Record<number, Json> = {};
  const problems = problemsOf(route);
  // What the route states itself goes before what is implied: a health check answers 503 in its own words.
  const stated = new Set(answers.map(({ status }) => status));
  for (const [status, codes] of problems) if (!stated.has(status)) responses[status] = refusals.of(status, codes);
  // Of support staff only the failures are counted.
  const limited = access.kind !== 'basic' && problems.has(429);
  const tagged = route.etag || answers.some(({ status }) => status === NOT_MODIFIED);
  for (const answer of answers) responses[answer.status] = successResponse(answer, { limited, tagged }, schemas);
  const parameters = [
    ...pathParameters(route),
    ...tenantHeader(route),
    ...preconditionHeaders(route),
    ...forceParameter(route),
    ...queryParameters(route, schemas),
  ];
  return {
    tags: [tagOf(route.path)],
    operationId: operationIdOf(route),
    summary: answers[0]?.summary ?? `${route.method} ${route.path}`,
    description: accessSentence(access),
    security: securityOf(access),
    ...(parameters.length > 0 && { parameters }),
    ...requestBody(route, schemas),
    responses,
  };
}

/** Unique because method and path are: `getApiV1ApiKeysById`. */
function operationIdOf({ method, path }: Route): string {
  const words = path.split('/').flatMap((part) => (part.startsWith(':') ? ['by', part.slice(1)] : part.split(/\W/)));
  const camel = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return `${method.toLowerCase()}${camel}`;
}

function pathParameters({ path }: Route): Json[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', ...(name === 'id' && { format: 'uuid' }) },
  }));
}

/** Only below `/api` has everybody to name it: elsewhere the credential says it all, but for people of several tenants. */
function tenantHeader({ access, path }: Route): Json[] {
  if (access.kind === 'public' || access.kind === 'basic') return [];
  const isNamed = path.startsWith('/api/') && !path.startsWith('/api/v1/');
  return [{ $ref: `#/components/parameters/${isNamed ? 'Tenant' : 'TenantIfSeveral'}` }];
}

function preconditionHeaders({ ifMatch }: Route): Json[] {
  return ifMatch ? [{ $ref: '#/components/parameters/IfMatch' }] : [];
}

function forceParameter({ force }: Route): Json[] {
  return force ? [{ $ref: '#/components/parameters/Force' }] : [];
}

function queryParameters({ input }: Route, schemas: Schemas): Json[] {
  if (input?.from !== 'query') return [];
  const { properties = {}, required = [] } = schemas.resolved(schemas.of(input.schema, 'input'));
  return Object.entries(properties as Record<string, Json>).map(([name, schema]) => {
    const { description, ...rest } = schema;
    const described = typeof description === 'string' ? { description } : {};
    return { name, in: 'query', required: (required as string[]).includes(name), ...described, schema: rest };
  });
}

function requestBody({ input }: Route, schemas: Schemas): { requestBody?: Json } {
  if (input?.from !== 'body' && input?.from !== 'form') return {};
  const type = input.from === 'body' ? 'application/json' : 'application/x-www-form-urlencoded';
  const schema = schemas.of(input.schema, 'input');
  const { required = [] } = schemas.resolved(schema);
  const example = smallestExampleOf(schema, schemas);
  return {
    requestBody: {
      required: (required as string[]).length > 0,
      content: { [type]: { schema, example } },
    },
  };
}
