import type { Jwt } from 'jsonwebtoken';
import koaJwt from 'koa-jwt';
import type { Config } from '../config.ts';
import type { Context, Middleware } from '../context.ts';
import { AppError } from '../errors.ts';
import type { VerificationKey } from './jwks.ts';
import { unauthenticated } from './challenge.ts';

/** Verifies a Bearer token by its one pinned algorithm, issuer, audience and expiry; who it names is looked up later. */
export function jwt(config: Config['jwt'], verificationKey: VerificationKey): Middleware {
  const options: koaJwt.Options & { complete: true } = {
    // Never `ctx.state.secret`, which koa-jwt would prefer: the guard below keeps it empty.
    secret: verificationKey as unknown as koaJwt.Options['secret'],
    algorithms: config.jwksUrl === undefined ? ['HS256'] : ['HS256', 'RS256', 'ES256'],
    issuer: config.issuer,
    audience: config.audience,
    key: 'claims',
    getToken: (ctx) => (ctx.state as Context['state']).credential?.text ?? '',
    // With its header, which its types do not know of.
    complete: true,
  };
  const verify = koaJwt(options) as unknown as Middleware;

  return (ctx, next) => (ctx.state.credential?.kind === 'jwt' ? verified(ctx, next) : next());

  async function verified(ctx: Context, next: () => Promise<unknown>): Promise<void> {
    if ('secret' in ctx.state) throw new Error('nothing may choose the secret of a token');
    if (ctx.state.credential?.text === '') throw unauthenticated('invalid_token', 'token_empty');
    try {
      await verify(ctx, async () => undefined);
    } catch (error) {
      const { originalError } = error as { originalError?: unknown };
      // A key set that cannot be fetched is a fault of the server, not of the caller.
      if (originalError instanceof AppError) throw originalError;
      throw unauthenticated('invalid_token', 'token_not_valid', error);
    }
    const { header, payload } = ctx.state.claims as Jwt;
    ctx.state.claims = payload;
    // Only this installation has the secret.
    ctx.state.ownToken = header.alg === 'HS256';
    await next();
  }
}
