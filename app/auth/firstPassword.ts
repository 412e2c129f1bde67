import { randomBytes } from 'node:crypto';

/** A password for somebody who has none yet: told once, and long enough never to be guessed. */
export function firstPassword(): string {
  return randomBytes(15).toString('base64url');
}
