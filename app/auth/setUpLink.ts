import { createHmac } from 'node:crypto';
import { sameHash } from '../domain/token.ts';

/**
 * Opens the set-up page while nobody exists. It is derived from the signing secret, so that every process prints the
 * same link and nothing has to be stored.
 */
export function setUpToken(secret: string): string {
  return createHmac('sha256', secret).update('latchkey set-up').digest('base64url');
}

/** Whether a text is that token, in a time that tells nothing of it. */
export function isSetUpToken(text: string, secret: string): boolean {
  return sameHash(Buffer.from(text), Buffer.from(setUpToken(secret)));
}

/** Where the first person sets themselves up. */
export function setUpLink(publicUrl: string, secret: string): string {
  return `${publicUrl}/setup?token=${setUpToken(secret)}`;
}
