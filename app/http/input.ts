import type { ZodError, ZodType } from 'zod';
import type { Context, Middleware } from '../context.ts';
import { AppError, type ErrorCode, type FieldError } from '../errors.ts';
import { readJson } from './body.ts';

/** What a route reads of a request, and from where. */
export interface Input {
  from: 'body' | 'query';
  schema: ZodType;
}

/** A handler that carries the schema of what it takes, for the documents made from the routes. */
export type Takes = Middleware & { input: Input };

/** A handler of a JSON body: 422 names each field that is wrong. */
export function body<T>(schema: ZodType<T>, handler: (ctx: Context, input: T) => Promise<void>): Takes {
  const run: Middleware = async (ctx) => {
    const value = await readJson(ctx);
    // `null` is a body like any other: only an absent one is as good as one without fields.
    const fields = value === undefined ? {} : value;
    await handler(ctx, parsed(schema, fields, 'invalid_input', 'body_fields_wrong'));
  };
  return Object.assign(run, { input: { from: 'body' as const, schema } });
}

/** A handler of query parameters: 400 names each value that is wrong. */
export function query<T>(schema: ZodType<T>, handler: (ctx: Context, input: T) => Promise<void>): Takes {
  const run: Middleware = async (ctx) => {
    const value = readQuery(ctx.querystring);
    await handler(ctx, parsed(schema, value, 'invalid_query', 'query_not_understood'));
  };
  return Object.assign(run, { input: { from: 'query' as const, schema } });
}

/** The value as the schema gives it, or the refusal that names its faults without repeating what was sent. */
export function parsed<T>(schema: ZodType<T>, value: unknown, code: ErrorCode, detail: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const scopes = unknownScopes(result.error);
  const named = scopes.length === 0 ? detail : `${detail} Unknown scopes: ${scopes.join(', ')}.`;
  throw new AppError(code, named, { errors: fieldErrors(result.error) });
}

/** The scopes that were asked for and do not exist, each once: a client that shows only the detail can then say which. */
function unknownScopes({ issues }: ZodError): string[] {
  const named = issues.flatMap((issue) => {
    const scope: unknown = issue.code === 'custom' ? issue.params?.['unknownScope'] : undefined;
    return typeof scope === 'string' ? [scope] : [];
  });
  return [...new Set(named)].slice(0, MAX_ERRORS);
}

/** The query as plain text; repeats are refused, and no name can reach an object's prototype. */
function readQuery(querystring: string): Record<string, string> {
  const fields = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(querystring)) {
    if (name in fields) {
      throw new AppError('invalid_query', 'query_repeats_parameter', {
        errors: [{ path: safeName(name), message: 'given_twice' }],
      });
    }
    fields[name] = value;
  }
  return fields;
}

const MAX_ERRORS = 20;

function fieldErrors(error: ZodError): FieldError[] {
  return error.issues.slice(0, MAX_ERRORS).flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.slice(0, MAX_ERRORS).map((key) => ({
        path: [...issue.path.map(String), safeName(key)].join('.'),
        message: 'unknown_field',
      }));
    }
    return [{ path: issue.path.map(String).join('.'), message: issue.message }];
  });
}

/** A name the caller chose is repeated only where it looks like a field's name and is too short to be a key. */
function safeName(name: string): string {
  return /^[\w.-]{1,31}$/.test(name) ? name : '(unprintable name)';
}
