import Router from '@koa/router';
import { z } from 'zod';
import { originOf } from '../actions/actionContext.ts';
import { signIn, type SignedIn } from '../actions/people/signIn.ts';
import type { State } from '../context.ts';
import { permissionsOf } from '../domain/role.ts';
import { AppError } from '../errors.ts';
import type { LoginThrottle } from '../limits/loginThrottle.ts';
import { issueToken, type TokenClaims } from '../auth/tokens.ts';
import { LoginAnswer, presentLogin } from './answers/login.ts';
import type { Services } from '../services.ts';
import { open } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { body } from '../http/input.ts';
import { ROUTER } from '../http/router.ts';

// A malformed email is wrong like any other, so that the answer does not reveal which emails could have an account.
const Login = z
  .strictObject({ email: z.string().min(1), password: z.string().min(1) })
  .meta({ examples: [{ email: 'ada@example.com', password: 'a long and quiet evening' }] });

/** Turns an email and a password into a token. */
export function authRoutes(
  services: Pick<Services, 'config' | 'db' | 'secret'>,
  throttle: LoginThrottle,
): Router<State> {
  const { config, db, secret } = services;
  return new Router<State>(ROUTER).post(
    '/auth/login',
    open(),
    answers(200, LoginAnswer, 'Turns an email and a password into a Bearer token.', [
      'invalid_login',
      'rate_limited',
      'temporarily_unavailable',
    ]),
    body(Login, async (ctx, login) => {
      const act = { db, now: Date.now(), origin: originOf(ctx) };
      const loginAttempt = { email: login.email, address: ctx.state.countedAddress };
      const signedIn = await throttle.attempt(loginAttempt, async () => signIn(act, login));
      if (!signedIn) throw wrongLogin();
      const token = issueToken(config.jwt, secret, claimsOf(signedIn), act.now);
      ctx.body = presentLogin(signedIn, token, config.jwt.ttlSeconds);
    }),
  );
}

/** A person of one tenant gets a token for it; one of several names the tenant with each request. */
export function claimsOf({ user, belongings }: SignedIn): TokenClaims {
  const [only, another] = belongings;
  if (!only || another) return { userId: user.id };
  const { tenantId, role, permissions } = only;
  return { userId: user.id, tenantId, role, permissions: permissionsOf(role, permissions) };
}

function wrongLogin(): AppError {
  return new AppError('invalid_login', 'wrong_login', {
    headers: { 'WWW-Authenticate': 'Bearer realm="latchkey"' },
  });
}
