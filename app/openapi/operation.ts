import { HEADERS_OF } from '../http/proxiedRequest.ts';
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

/** `:id`, or `{*path}` for all that follows. */
const PARAMETER = /\{?[:*](\w+)\}?/g;

/** The path as OpenAPI writes it: `/api/v1/api-keys/{id}`. */
export function templateOf(path: string): string {
  return path.replace(PARAMETER, '{$1}');
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
  const limited = access.kind === 'proxy' || (access.kind !== 'basic' && problems.has(429));
  const tagged = route.etag || answers.some(({ status }) => status === NOT_MODIFIED);
  for (const answer of answers)
    responses[answer.status] = successResponse(answer, { limited, tagged, replayable: route.makes }, schemas);
  const parameters = [
    ...pathParameters(route),
    ...tenantHeader(route),
    ...conditionHeaders(route),
    ...forceParameter(route),
    ...proxyHeaders(route),
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
  const words = templateOf(path)
    .split('/')
    .flatMap((part) => (part.startsWith('{') ? ['by', part.slice(1, -1)] : part.split(/\W/)));
  const camel = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return `${method.toLowerCase()}${camel}`;
}

function pathParameters({ path }: Route): Json[] {
  return [...path.matchAll(PARAMETER)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', ...(name === 'id' && { format: 'uuid' }) },
  }));
}

/** The x-tenant-id header: everybody sends it below `/api`, and only people of several tenants below `/api/v1`. */
function tenantHeader({ access, path }: Route): Json[] {
  if (access.kind === 'public' || access.kind === 'basic' || access.kind === 'proxy') return [];
  const isNamed = path.startsWith('/api/') && !path.startsWith('/api/v1/');
  return [{ $ref: `#/components/parameters/${isNamed ? 'Tenant' : 'TenantIfSeveral'}` }];
}

/** What a proxy says of the request that it asks about; Envoy sends that request itself. */
function proxyHeaders({ access }: Route): Json[] {
  if (access.kind !== 'proxy' || access.proxy === 'envoy') return [];
  const { method, host, target, address } = HEADERS_OF[access.proxy];
  const described = [
    [method, 'The method of the request.', 'GET'],
    [host, 'The host that the request is for.', 'api.example.com'],
    [target, 'The path and query of the request, as the client sent them.', '/people/42?full=1'],
    [address, 'The client’s address; of several the last.', '203.0.113.7'],
  ];
  return described.map(([name, description, example]) => {
    return { name, in: 'header', required: true, description, example, schema: { type: 'string' } };
  });
}

function conditionHeaders({ ifMatch, makes }: Route): Json[] {
  return [...(ifMatch ? ['IfMatch'] : []), ...(makes ? ['IdempotencyKey'] : [])].map((name) => ({
    $ref: `#/components/parameters/${name}`,
  }));
}

function forceParameter({ force }: Route): Json[] {
  return force ? [{ $ref: '#/components/parameters/Force' }] : [];
}

function queryParameters({ input }: Route, schemas: Schemas): Json[] {
  const query = input?.from === 'query' ? input.schema : input?.query;
  if (!query) return [];
  const { properties = {}, required = [] } = schemas.resolved(schemas.of(query, 'input'));
  return Object.entries(properties as Record<string, Json>).map(([name, schema]) => {
    const { description, ...rest } = schema;
    const described = typeof description === 'string' ? { description } : {};
    return { name, in: 'query', required: (required as string[]).includes(name), ...described, schema: rest };
  });
}

function requestBody({ input }: Route, schemas: Schemas): { requestBody?: Json } {
  if (input?.from === 'lines') return { requestBody: linesBody(input, schemas) };
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

/** OpenAPI has no word for a body of lines: each type says in its example what a line is. */
function linesBody({ schema, types = [] }: NonNullable<Route['input']>, schemas: Schemas): Json {
  const line = schemas.of(schema, 'input');
  const example = smallestExampleOf(line, schemas);
  const content = types.map((type) => [
    type,
    type === 'text/csv' ? { schema: { type: 'string' }, example: csvOf(example as Json) } : { schema: line, example },
  ]);
  return { required: true, content: Object.fromEntries(content) as Json };
}

function csvOf(fields: Json): string {
  return `${Object.keys(fields).join(',')}\n${Object.values(fields).map(String).join(',')}\n`;
}
