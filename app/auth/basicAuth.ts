import { createHash } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Context, Middleware } from '../context.ts';
import type { Rate } from '../domain/rate.ts';
import { sameHash } from '../domain/token.ts';
import type { ProblemKey } from '../domain/problem.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { rateLimited, type Counter } from '../limits/count.ts';
import { accessOf } from '../http/access.ts';
import { onlyHeader } from './credential.ts';

/** Admits support staff by user and password, and only to routes that state `basic`. */
export function basicAuth(
  { user, password }: NonNullable<Config['support']>,
  { failures, rate }: { failures: Counter; rate: Rate | undefined },
): Middleware {
  const rightUser = digest(user);
  const rightPassword = digest(password);

  function isRight([givenUser, givenPassword]: readonly [string, string]): boolean {
    // Both are always compared, so that the time does not reveal which one was wrong.
    const userMatches = sameHash(digest(givenUser), rightUser);
    const passwordMatches = sameHash(digest(givenPassword), rightPassword);
    return userMatches && passwordMatches;
  }

  return async (ctx, next) => {
    const given = userAndPasswordOf(ctx);
    if (!given) throw challenge('missing_credential', 'send_support_login');
    // Counted before the check: otherwise a hundred guesses at the same time would all count as the first.
    const count = rate && (await failures.take(ctx.state.countedAddress, rate));
    if (count && !count.allowed) throw rateLimited(count, 'too_many_wrong_passwords');
    if (!isRight(given)) throw challenge('invalid_login', 'wrong_support_login');
    if (count) await failures.giveBack(count);
    const access = accessOf(ctx);
    if (access?.kind === 'basic') ctx.state.granted = access;
    await next();
  };
}

const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i;

function userAndPasswordOf(ctx: Context): readonly [user: string, password: string] | undefined {
  const encoded = BASIC.exec(onlyHeader(ctx, 'authorization') ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [user = '', ...password] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return [user, password.join(':')];
}

function challenge(code: ErrorCode, problem: ProblemKey): AppError {
  return new AppError(code, problem, { headers: { 'WWW-Authenticate': 'Basic realm="latchkey", charset="UTF-8"' } });
}

/** Hashes texts to one length, which a comparison in constant time needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
