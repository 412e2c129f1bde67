import { faultCode, isUnavailable } from '../../db/connection/faults.ts';
import type { Context, Middleware } from '../context.ts';
import type { Log } from '../log.ts';
import { localeOfHeader } from '../domain/locale.ts';
import { problemOf, type AppError } from '../errors.ts';
import { textsIn } from '../locales/texts.ts';
import { cookiesOf, type Cookies } from './cookies.ts';
import { readerOf, type Reader } from './reader.ts';
import { isApiPath } from './apiPaths.ts';
import { recovering } from './compose.ts';

/** Makes the page of an error, for who reads pages. */
export type ErrorPage = (ctx: Context, problem: AppError, reader: Reader) => string;

/**
 * Turns every error into an answer, that of a page which cannot be made too; headers set before, such as CSP and no-store,
 * stay.
 */
export function handleErrors(log: Log, publicUrl: string, errorPage: ErrorPage): Middleware {
  const cookies = cookiesOf(publicUrl);
  return (ctx, next) =>
    recovering(next, (error) => {
      try {
        answer(ctx, logged(ctx, error), cookies, errorPage);
      } catch (fault) {
        const problem = logged(ctx, fault);
        sendProblem(ctx, problem, problem.status);
      }
    });

  function logged(ctx: Context, error: unknown): AppError {
    const problem = problemOf(error);
    if (problem.status >= 500) logFault(log, ctx, problem, error);
    return problem;
  }
}

function answer(ctx: Context, problem: AppError, cookies: Cookies, errorPage: ErrorPage): void {
  if (wantsPage(ctx)) {
    ctx.status = problem.status;
    ctx.set(problem.headers);
    ctx.type = 'html';
    ctx.body = errorPage(ctx, problem, (ctx.state.reader ??= readerOf(ctx, cookies)));
    return;
  }
  sendProblem(ctx, problem, problem.status);
}

/** Answers a problem as JSON, with another status than its own where whoever asked takes none of that. */
export function sendProblem(ctx: Context, problem: AppError, status: number): void {
  ctx.status = status;
  ctx.set(problem.headers);
  const { problemText } = textsIn(localeOfHeader(ctx.get('Accept-Language')));
  const errors = problem.errors?.map(({ path, problem }) => ({ path, message: problemText(problem) }));
  ctx.body = JSON.stringify({ ...problemDocument(ctx, problem, status), errors });
  ctx.type = 'application/problem+json';
}

/** The document of a problem without the fields concerned, in the language of the request. */
export function problemDocument(ctx: Context, { code, title, problem }: AppError, status: number) {
  const { problemText } = textsIn(localeOfHeader(ctx.get('Accept-Language')));
  const type = `urn:latchkey:problem:${code}`;
  return { type, title, status, detail: problemText(problem), code, requestId: ctx.state.requestId };
}

function wantsPage(ctx: Context): boolean {
  if (isApiPath(ctx.path)) return false;
  return ctx.get('HX-Request') === 'true' || ctx.accepts('json', 'html') === 'html';
}

function logFault(log: Log, ctx: Context, problem: AppError, error: unknown): void {
  const cause = problem.cause ?? error;
  const details = { code: problem.code, fault: faultCode(cause), requestId: ctx.state.requestId };
  if (problem.status === 503) log.warn(details, 'what the answer depends on could not be asked');
  else log.error({ ...details, stack: stackOf(cause) }, 'unexpected fault');
}

/** Logs errors after the answer has begun, such as an aborted export or a closed connection. */
export function logLateErrors(log: Log): (error: unknown, ctx: Context) => void {
  return (error, ctx) => {
    const details = { fault: faultCode(error), requestId: ctx.state.requestId };
    if (isReaderGone(error)) log.debug(details, 'whoever asked has gone');
    else if (isUnavailable(error)) log.warn(details, 'an answer was broken off');
    else log.error({ ...details, stack: stackOf(error) }, 'an answer was broken off');
  };
}

/** A database that hangs up says `ECONNRESET` too, but its driver marks that as fatal. */
function isReaderGone(error: unknown): boolean {
  const code = faultCode(error);
  if (code === 'ERR_STREAM_PREMATURE_CLOSE') return true;
  return (code === 'ECONNRESET' || code === 'EPIPE') && error instanceof Error && !('fatal' in error);
}

/** Drivers put values into their messages, so a fault is logged by its code and its stack without the message. */
function stackOf(error: unknown): string[] | undefined {
  const lines = error instanceof Error ? error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) : undefined;
  return lines?.slice(0, 8).map((line) => line.trim());
}
