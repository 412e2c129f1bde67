import { createSecretKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { JwtConfig } from '../config.ts';
import { normaliseEmail } from '../domain/email.ts';
import { isId } from '../domain/id.ts';
import { keySetAt } from './keySet.ts';

/** Finds the only key that may have signed a token with this header, or refuses the token. */
export type VerificationKey = (header: unknown, payload: unknown) => Promise<KeyObject>;

/** The subject of a token: a user's id, or an email that the identity provider has verified. */
export interface Subject {
  by: 'id' | 'email';
  subject: string;
  /** The only tenant the token is good for. */
  tenantId?: string;
  /** In whole seconds; absent where the token does not say. */
  issuedAt?: number;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The keys that tokens are verified with: HS256 only with our own secret; RS256 and ES256 only with a key that
 * JWT_JWKS_URL publishes under the token's `kid`. Keys are key objects, never text, so that a public key can never serve
 * as a secret. Tokens that koa-jwt would let pass without an end, or without claims at all, are refused here.
 */
export function verificationKey(config: JwtConfig, secret: string): VerificationKey {
  const own = createSecretKey(secret, 'utf8');
  const outside = config.jwksUrl === undefined ? undefined : keySetAt(config.jwksUrl);

  return async (header, payload) => {
    const { alg, kid, crit } = fieldsOf(header) ?? {};
    // An extension that must be understood is one we do not.
    if (crit !== undefined) throw refused('the token asks for an extension');
    const claims = fieldsOf(payload);
    if (!claims || !Number.isFinite(claims['exp'])) throw refused('the token has no end');
    if (alg === 'HS256') return own;
    if (outside && (alg === 'RS256' || alg === 'ES256') && typeof kid === 'string') {
      const key = await outside.find(kid, alg);
      if (key) return key;
    }
    throw refused('the token is not signed in a way that is accepted here');
  };
}

/**
 * The subject of a verified token; undefined refuses the token. Our own tokens have the user's id in `sub`. An identity
 * provider's ids are unknown here, so its tokens count by `email` if `email_verified` is true; without an email, `sub`
 * must be a user's id.
 */
export function subjectOf(claims: unknown): Subject | undefined {
  const { sub, email, email_verified: verified, tenantId, iat } = fieldsOf(claims) ?? {};
  if (tenantId !== undefined && typeof tenantId !== 'string') return undefined;
  const bound = { ...(tenantId !== undefined && { tenantId }), ...(typeof iat === 'number' && { issuedAt: iat }) };
  if (typeof email === 'string' && verified === true) {
    const subject = normaliseEmail(email);
    return subject === undefined ? undefined : { by: 'email', subject, ...bound };
  }
  return typeof sub === 'string' && isId(sub) ? { by: 'id', subject: sub, ...bound } : undefined;
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function refused(reason: string): Error {
  return new jwt.JsonWebTokenError(reason);
}
