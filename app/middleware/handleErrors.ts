import { faultCode } from '../../db/faults.ts';
import type { Context, Middleware } from '../context.ts';
import type { Log } from '../log.ts';
import { problemOf, type AppError } from '../errors.ts';
import { cookiesOf, type Cookies } from '../pages/cookies.ts';
import { errorPage } from '../pages/errorPage.ts';
import { readerOf } from '../pages/reader.ts';
import { isForPrograms } from './programs.ts';

/** The outermost answer to every error; what was set before it, such as CSP and no-store, stays. */
export function handleErrors(log: Log, publicUrl: string): Middleware {
  const cookies = cookiesOf(publicUrl);
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const problem = problemOf(error);
      if (problem.status >= 500) logFault(log, ctx, problem, error);
      answer(ctx, problem, cookies);
    }
  };
}

function answer(ctx: Context, problem: AppError, cookies: Cookies): void {
  ctx.status = problem.status;
  ctx.set(problem.headers);
  if (wantsPage(ctx)) {
    ctx.type = 'html';
    ctx.body = errorPage(ctx, problem, (ctx.state.reader ??= readerOf(ctx, cookies)));
    return;
  }
  ctx.body = JSON.stringify({
    type: `urn:latchkey:problem:${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    requestId: ctx.state.requestId,
    errors: problem.errors,
  });
  ctx.type = 'application/problem+json';
}

function wantsPage(ctx: Context): boolean {
  if (isForPrograms(ctx.path)) return false;
  return ctx.get('HX-Request') === 'true' || ctx.accepts('json', 'html') === 'html';
}

/** Drivers put values into their messages, so a fault is logged by its code and its stack without the message. */
function logFault(log: Log, ctx: Context, problem: AppError, error: unknown): void {
  const cause = problem.cause ?? error;
  const stack = cause instanceof Error ? cause.stack?.split('\n').filter((line) => /^\s+at /.test(line)) : undefined;
  const details = { code: problem.code, fault: faultCode(cause), requestId: ctx.state.requestId };
  if (problem.status === 503) log.warn(details, 'what the answer depends on could not be asked');
  else log.error({ ...details, stack: stack?.slice(0, 8).map((line) => line.trim()) }, 'unexpected fault');
}
