import jwt from 'jsonwebtoken';
import { idOf } from './seedRows.ts';
import { JWT_SECRET } from './stores.ts';

/** A token of the person who owns the first tenant of every store. */
export function ownerToken(): string {
  const claims = { tenantId: idOf('tenant', 0) };
  const options = { subject: idOf('user', 0), issuer: 'latchkey', audience: 'latchkey', expiresIn: '1h' } as const;
  return jwt.sign(claims, JWT_SECRET, { algorithm: 'HS256', ...options });
}
