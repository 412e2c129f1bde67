import { z } from 'zod';
import { PROBLEMS, type ErrorCode } from '../errors.ts';
import type { Answer } from '../http/answers.ts';
import { exampleOf } from './example.ts';
import type { Json, Schemas } from './schemas.ts';

/** Every problem looks like this. */
export const PROBLEM_SCHEMA: Json = {
  type: 'object',
  description: 'What went wrong, as RFC 9457 says it. The code is stable: go by it.',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(PROBLEMS) },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      description: 'The fields that are wrong, by their paths.',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
};

/** The headers that answers refer to. */
export const HEADERS: Json = {
  'X-Request-Id': header('Names this request in the log.', { type: 'string' }),
  'Retry-After': header('Seconds after which to try again.', { type: 'integer', minimum: 1 }),
  'X-Auth-Tenant': header('The id of the caller’s tenant; `-` where nobody had to show who they are.', {
    type: 'string',
  }),
  'X-Auth-Key-Id': header('The id of the key; `-` where the caller showed none.', { type: 'string' }),
  'X-Auth-Subject': header(
    'The id of the person who calls or whose key it is, of the key where it is its tenant’s own; `-` for nobody.',
    { type: 'string' },
  ),
  'X-Auth-Scopes': header('The scopes of the key, with spaces between them; `-` where there are none.', {
    type: 'string',
  }),
  'WWW-Authenticate': header('The credentials that would do.', { type: 'string' }),
  RateLimit: header(
    'What is left (`r`) of each limit, and for how many seconds (`t`): `"key";r=599;t=60`. The monthly quota of a key is among them once a tenth of it or less is left: `"quota";r=12;t=86400`.',
    { type: 'string' },
  ),
  'RateLimit-Policy': header('Each limit (`q`) and its window in seconds (`w`): `"key";q=600;w=60`.', {
    type: 'string',
  }),
  'Idempotency-Replayed': header('There where the same request was answered before and nothing was made this time.', {
    type: 'string',
    enum: ['true'],
  }),
  Location: header('Where to find what was made.', { type: 'string', format: 'uri-reference' }),
  ETag: header(
    'The version of what is answered. Sent back as `If-Match` it lets a change through only while nobody else made one; the document itself takes it as `If-None-Match`.',
    { type: 'string' },
  ),
};

/** The headers of a limit; absent if the configuration sets none. */
const LIMIT_HEADERS = ['RateLimit', 'RateLimit-Policy'];

/** The problem answers of a document: the same set of codes is written once, and referred to. */
export class ProblemResponses {
  readonly #named = new Map<string, Json>();

  get named(): Json {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A reference to the answer that any of these codes, which share a status, is. */
  of(status: number, codes: readonly ErrorCode[]): Json {
    const name = [status, ...codes].join('.');
    if (!this.#named.has(name)) this.#named.set(name, refusal(status, codes));
    return { $ref: `#/components/responses/${name}` };
  }
}

/** The successful response of a route, with the headers of its limit. */
export function successResponse(
  { status, schema, summary, headers }: Answer,
  { limited, tagged, replayable }: { limited: boolean; tagged: boolean; replayable: boolean },
  schemas: Schemas,
): Json {
  const head = {
    description: status === 200 ? 'Done.' : status === 201 ? 'Created.' : summary,
    headers: refersTo([
      'X-Request-Id',
      ...(status === 201 ? ['Location'] : []),
      ...(tagged ? ['ETag'] : []),
      ...(replayable ? ['Idempotency-Replayed'] : []),
      ...(limited ? LIMIT_HEADERS : []),
      ...headers,
    ]),
  };
  if (schema instanceof z.ZodNever) return head;
  const made = schemas.of(schema, 'output');
  if (made.type === 'string') return { ...head, content: { 'text/plain': { schema: made } } };
  const example = '$ref' in made ? {} : { example: exampleOf(made, schemas) };
  return { ...head, content: { 'application/json': { schema: made, ...example } } };
}

/** The answer that has no content: the caller has it already. */
export const NOT_MODIFIED = 304;

function refusal(status: number, codes: readonly ErrorCode[]): Json {
  return {
    description: codes.map((code) => `${PROBLEMS[code][1]} (\`${code}\`)`).join(', '),
    headers: refersTo(['X-Request-Id', ...headersOf(status, codes)]),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            { type: 'object', properties: { status: { const: status }, code: { enum: [...codes] } } },
          ],
        },
        examples: Object.fromEntries(codes.map((code) => [code, { value: problemExample(status, code) }])),
      },
    },
  };
}

function problemExample(status: number, code: ErrorCode): Json {
  const [, title] = PROBLEMS[code];
  const errors =
    code === 'invalid_input' || code === 'invalid_query' ? [{ path: 'name', message: 'unknown_field' }] : [];
  return {
    type: `urn:latchkey:problem:${code}`,
    title,
    status,
    detail: `${title}.`,
    code,
    requestId: 'pZ4wQ9sX1aBc-2f',
    ...(errors.length > 0 && { errors }),
  };
}

function headersOf(status: number, codes: readonly ErrorCode[]): string[] {
  if (status === 401) return ['WWW-Authenticate'];
  if (status === 429) return ['Retry-After', ...LIMIT_HEADERS];
  // Of the conflicts only `in_progress` passes by itself.
  return status === 503 || codes.includes('in_progress') ? ['Retry-After'] : [];
}

function refersTo(names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function header(description: string, schema: Json): Json {
  return { description, schema };
}
