import { z } from 'zod';
import type { Answer } from './http.ts';

type Json = Record<string, unknown>;

interface Response {
  headers?: Json;
  content?: Record<string, { schema: Json }>;
}

/** One operation of the published document. */
export interface Operation {
  method: string;
  /** With its parameters in braces, as the document writes it. */
  path: string;
  /** `POST /projects`: below either prefix. */
  name: string;
  security: Record<string, string[]>[];
  body: { schema: Json; example: unknown; required: boolean; kind: 'json' | 'form' | 'lines' } | undefined;
  /** Whether it has parameters in the query. */
  hasQuery: boolean;
  /** Whether it takes `Idempotency-Key`. */
  isIdempotent: boolean;
  responses: Map<number, Response>;
}

/** The type of each kind of body. */
const KINDS = [
  ['json', 'application/json'],
  ['form', 'application/x-www-form-urlencoded'],
  ['lines', 'application/x-ndjson'],
] as const;

/** The published document, as something to hold answers against. */
export class Contract {
  readonly operations: readonly Operation[];
  readonly #document: Json;
  readonly #seen = new Set<string>();
  readonly #schemas = new Map<string, z.ZodType>();

  /** Of all operations, or of some. */
  constructor(document: unknown, isMeant: (operation: Operation) => boolean = () => true) {
    this.#document = document as Json;
    const paths = Object.entries(this.#document.paths as Record<string, Record<string, Json>>);
    const operations = paths.flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => this.#operation(method.toUpperCase(), path, operation)),
    );
    this.operations = operations.filter(isMeant);
  }

  /** Says what in the answer is not as documented; undefined promises that all of it is, and counts it as seen. */
  problem(operation: Operation, { status, headers, body, text }: Answer): string | undefined {
    const response = operation.responses.get(status);
    if (!response) return `${status} is not documented: ${text.slice(0, 300)}`;
    const missing = Object.keys(response.headers ?? {}).filter(
      (name) => !isOptional(name, status) && headers[name.toLowerCase()] === undefined,
    );
    if (missing.length > 0) return `${status} lacks ${missing.join(', ')}`;
    const unsaid = status < 400 ? TOLD.filter((name) => headers[name.toLowerCase()] && !response.headers?.[name]) : [];
    if (unsaid.length > 0) return `${status} carries ${unsaid.join(', ')}, which is not documented`;
    const type = headers['content-type']?.split(';')[0] ?? 'none';
    const schema = response.content ? response.content[type]?.schema : NO_CONTENT;
    if (!schema) return `${status} is ${type}, which is not documented`;
    const result = this.schema(schema).safeParse(type === 'text/plain' || text === '' ? text : body);
    if (!result.success)
      return `${status} is not as its schema says: ${z.prettifyError(result.error)}\n${text.slice(0, 500)}`;
    this.#seen.add(at(operation, status));
    return undefined;
  }

  /** A schema of the document, as a validator. */
  schema(schema: Json): z.ZodType {
    const text = within(schema);
    let known = this.#schemas.get(text);
    if (!known) {
      const $defs = JSON.parse(within((this.#document.components as Json).schemas)) as z.core.JSONSchema.JSONSchema;
      known = z.fromJSONSchema({ ...(JSON.parse(text) as object), $defs } as z.core.JSONSchema.JSONSchema);
      this.#schemas.set(text, known);
    }
    return known;
  }

  get seen(): number {
    return this.#seen.size;
  }

  /** The documented answers that nothing has shown yet. */
  unseen(): string[] {
    return this.operations.flatMap((operation) =>
      [...operation.responses.keys()].map((status) => at(operation, status)).filter((one) => !this.#seen.has(one)),
    );
  }

  #operation(method: string, path: string, operation: Json): Operation {
    const responses = Object.entries(operation.responses as Record<string, Json>);
    const parameters = (operation.parameters ?? []) as Json[];
    const { requestBody } = operation as { requestBody?: { required: boolean; content: Record<string, Json> } };
    const { content = {} } = requestBody ?? {};
    const [kind, type] = KINDS.find(([, one]) => content[one]) ?? (['json', 'application/json'] as const);
    const { schema, example } = (content[type] ?? {}) as {
      schema?: Json;
      example?: unknown;
    };
    return {
      method,
      path,
      name: `${method} ${path.replace(/^\/api(\/v1)?(?=\/)/, '')}`,
      security: operation.security as Operation['security'],
      body: schema && { schema, example, required: requestBody?.required ?? false, kind },
      isIdempotent: parameters.some((parameter) => String(parameter.$ref).endsWith('/IdempotencyKey')),
      hasQuery: parameters.some((parameter) => parameter.in === 'query'),
      responses: new Map(responses.map(([status, response]) => [Number(status), this.#resolved(response)])),
    };
  }

  #resolved(value: Json): Response {
    const { $ref: reference } = value;
    if (typeof reference !== 'string') return value;
    const parts = reference.slice('#/'.length).split('/');
    return parts.reduce<unknown>((inner, part) => (inner as Json)[part], this.#document) as Response;
  }
}

/** Only limited routes carry the first two, and only where a limit is set. */
const OPTIONAL = new Set(['RateLimit', 'RateLimit-Policy', 'Idempotency-Replayed']);

/** Of all conflicts only a request that is under way says when to come again. */
function isOptional(name: string, status: number): boolean {
  return OPTIONAL.has(name) || (name === 'Retry-After' && status === 409);
}

const NO_CONTENT = { const: '' };

/** What a client may go by once an answer that is no problem carries it. */
const TOLD = ['Location', 'ETag', ...OPTIONAL];

function at({ method, path }: Operation, status: number): string {
  return `${method} ${path} ${status}`;
}

/** As text, with the references of a document turned into those of a schema. */
function within(schema: unknown): string {
  return JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/');
}
