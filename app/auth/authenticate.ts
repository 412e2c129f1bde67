import compose from 'koa-compose';
import type { Middleware } from '../context.ts';
import type { Services } from '../services.ts';
import { apiKey } from './apiKey.ts';
import { credentialOf } from './credential.ts';
import { jwt } from './jwt.ts';
import { requireAccess } from './requireAccess.ts';
import { tenant, type TenantFrom } from './tenant.ts';

/** The one chain every protected router shares: after it, `ctx.state.principal` is the caller and the route is theirs to use. */
export function authenticate(services: Services, tenantFrom: TenantFrom): Middleware {
  const { config, lookup, limits, verificationKey } = services;
  const readCredential: Middleware = (ctx, next) => {
    const credential = credentialOf(ctx, config.keys.prefix);
    if (credential) ctx.state.credential = credential;
    return next();
  };
  return compose([
    readCredential,
    limits.address,
    jwt(config.jwt, verificationKey),
    apiKey(lookup, config.keys.prefix, limits.doubtful),
    tenant(lookup, tenantFrom, limits.doubtful),
    requireAccess,
  ]);
}
