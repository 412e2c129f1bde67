import type { ZodType } from 'zod';
import type { Context, Middleware } from '../context.ts';
import type { ProblemKey } from '../domain/problem.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { readForm, readJson, readLines } from './body.ts';
import { fieldErrors, safeName } from './fieldErrors.ts';

/** The part of a request that a route reads, and its schema. */
export interface Input {
  from: 'body' | 'form' | 'query' | 'lines';
  schema: ZodType;
  /** The query parameters that a route takes beside its body. */
  query?: ZodType;
  /** The types of a body of lines. */
  types?: readonly string[];
}

/** A handler that carries the schema of what it takes, for the documents made from the routes. */
export type InputHandler = Middleware & { input: Input };

/** A handler of a JSON body: 422 names each field that is wrong. */
export function body<T>(schema: ZodType<T>, handler: (ctx: Context, input: T) => Promise<void>): InputHandler {
  const run: Middleware = async (ctx) => {
    const value = await readJson(ctx);
    // `null` is a body like any other: only an absent one is as good as one without fields.
    const fields = value === undefined ? {} : value;
    await handler(ctx, parsed(schema, fields, 'invalid_input', 'body_fields_wrong'));
  };
  return Object.assign(run, { input: { from: 'body' as const, schema } });
}

/** A handler of query parameters: 400 names each value that is wrong. */
export function query<T>(schema: ZodType<T>, handler: (ctx: Context, input: T) => Promise<void>): InputHandler {
  const run: Middleware = async (ctx) => {
    await handler(ctx, queryOf(ctx, schema));
  };
  return Object.assign(run, { input: { from: 'query' as const, schema } });
}

function queryOf<T>(ctx: Context, schema: ZodType<T>): T {
  const value = onceEach(new URLSearchParams(ctx.querystring), 'invalid_query', 'query_repeats_parameter');
  return parsed(schema, value, 'invalid_query', 'query_not_understood');
}

/** A handler of a text of many lines, each of which the schema describes, with query parameters beside it. */
export function lines<Type extends string, Q>(
  types: readonly Type[],
  { line, query: parameters }: { line: ZodType; query: ZodType<Q> },
  handler: (ctx: Context, sent: { type: Type; text: string }, query: Q) => Promise<void>,
): InputHandler {
  const run: Middleware = async (ctx) => {
    const wanted = queryOf(ctx, parameters);
    await handler(ctx, await readLines(ctx, types), wanted);
  };
  return Object.assign(run, { input: { from: 'lines' as const, schema: line, query: parameters, types } });
}

/** A handler of a form that a program sends, as OAuth has it: 400 for a field given twice; those that nobody knows are ignored. */
export function form<T>(schema: ZodType<T>, handler: (ctx: Context, input: T) => Promise<void>): InputHandler {
  const run: Middleware = async (ctx) => {
    const fields = onceEach(await readForm(ctx), 'bad_request', 'fields_wrong');
    await handler(ctx, parsed(schema, fields, 'bad_request', 'fields_wrong'));
  };
  return Object.assign(run, { input: { from: 'form' as const, schema } });
}

/** Parses a value, or refuses it with its problems by field, without repeating the input. */
export function parsed<T>(schema: ZodType<T>, value: unknown, code: ErrorCode, problem: ProblemKey): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // What tells a missing field from a wrong one takes zod several times as long, so only what is refused is read so.
  const refused = schema.safeParse(value, { reportInput: true });
  throw new AppError(code, problem, { errors: fieldErrors(refused.error ?? result.error) });
}

/** Fields as plain text; repeats are refused, and no name can reach an object's prototype. */
function onceEach(parameters: URLSearchParams, code: ErrorCode, problem: ProblemKey): Record<string, string> {
  const fields = Object.create(null) as Record<string, string>;
  for (const [name, value] of parameters) {
    if (name in fields) {
      throw new AppError(code, problem, { errors: [{ path: safeName(name), problem: { key: 'given_twice' } }] });
    }
    fields[name] = value;
  }
  return fields;
}
