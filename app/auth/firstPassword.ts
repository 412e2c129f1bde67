import { randomBytes } from 'node:crypto';

/** A random first password, shown once and too long to be guessed. */
export function firstPassword(): string {
  return randomBytes(15).toString('base64url');
}
