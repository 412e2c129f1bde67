import type { ZodType } from 'zod';
import type { Middleware } from '../context.ts';
import type { ErrorCode } from '../errors.ts';

export interface Answer {
  status: number;
  schema: ZodType;
  /** One sentence on what the route does. */
  summary: string;
  /** Problems of this route beyond those that its access and input imply. */
  problems: readonly ErrorCode[];
  /** Headers of this answer beyond those that every such answer has, by their names in the OpenAPI document. */
  headers: readonly string[];
}

/** A marker in a route's stack that carries what it answers when all is well, for the documents made from the routes. */
export type AnswerMarker = OnlyStates & { answer: Answer };

/** A middleware that passes on and nothing else, so that a request need not pass it. */
export type OnlyStates = Middleware & { onlyStates: true };

/** States a route's good answer; it checks nothing at run time, the contract test does that for every route. */
export function answers(
  status: number,
  schema: ZodType,
  summary: string,
  problems: readonly ErrorCode[] = [],
  headers: readonly string[] = [],
): AnswerMarker {
  const pass: Middleware = (_ctx, next) => next();
  return Object.assign(pass, { onlyStates: true as const, answer: { status, schema, summary, problems, headers } });
}
