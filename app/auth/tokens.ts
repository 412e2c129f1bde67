import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { JwtConfig } from '../config.ts';
import type { Permission, Role } from '../domain/role.ts';

/** The claims of a token that this installation signs. */
export interface TokenClaims {
  userId: string;
  /** Binds the token to this one tenant; without it, it is good for every tenant of the person. */
  tenantId?: string;
  role?: Role;
  permissions?: Iterable<Permission>;
}

/**
 * Signs a token of our own, HS256. Its role and permissions only tell the client what to show: authority is read from
 * the database at each request, so that no token outlives a demotion.
 */
export function issueToken(settings: JwtConfig, secret: string, claims: TokenClaims, now: number): string {
  const { userId, tenantId, role, permissions } = claims;
  const issuedAt = Math.floor(now / 1000);
  const payload = {
    sub: userId,
    iss: settings.issuer,
    aud: settings.audience,
    iat: issuedAt,
    exp: issuedAt + settings.ttlSeconds,
    jti: randomUUID(),
    ...(tenantId !== undefined && { tenantId }),
    ...(role !== undefined && { role }),
    ...(permissions !== undefined && { permissions: [...permissions] }),
  };
  return jwt.sign(payload, secret, { algorithm: 'HS256' });
}
