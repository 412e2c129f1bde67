import type { Middleware } from '../context.ts';
import { compose } from '../http/compose.ts';
import type { Config } from '../config.ts';
import type { Limits } from '../limits/limits.ts';
import { apiKey } from './apiKey.ts';
import { credentialOf } from './credential.ts';
import { jwt } from './jwt.ts';
import { requireAccess } from './requireAccess.ts';
import type { VerificationKey } from './jwks.ts';
import type { KeyTexts } from './keyTexts.ts';
import type { Lookup } from './lookup.ts';
import { tenant, type TenantFrom } from './tenant.ts';

/** The parts of the application that the chain needs. */
export interface AuthenticationParts {
  config: Config;
  lookup: Lookup;
  limits: Pick<Limits, 'address' | 'doubtful'>;
  keyTexts: KeyTexts;
  verificationKey: VerificationKey;
}

/**
 * The chain of every protected router: after it `ctx.state.principal` is the caller, who may use the route. What is to be
 * asked of the database in the turn of the caller's key is `ahead`.
 */
export function authenticate(
  { config, lookup, limits, keyTexts, verificationKey }: AuthenticationParts,
  tenantFrom: TenantFrom,
  ahead: readonly Middleware[] = [],
): Middleware {
  const readCredential: Middleware = (ctx, next) => {
    const credential = credentialOf(ctx, keyTexts);
    if (credential) ctx.state.credential = credential;
    return next();
  };
  return compose([
    readCredential,
    limits.address,
    ...ahead,
    jwt(config.jwt, verificationKey),
    apiKey(lookup, keyTexts, limits.doubtful),
    tenant(lookup, tenantFrom, limits.doubtful),
    requireAccess,
  ]);
}
