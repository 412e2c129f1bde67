import { createHmac } from 'node:crypto';
import { sameHash } from '../domain/token.ts';

/**
 * The token that opens the set-up page while no person exists. It is derived from the signing secret, so that every
 * process prints the same link and nothing is stored.
 */
export function setUpToken(secret: string): string {
  return createHmac('sha256', secret).update('latchkey set-up').digest('base64url');
}

/** Compares a text with that token in constant time. */
export function isSetUpToken(text: string, secret: string): boolean {
  return sameHash(Buffer.from(text), Buffer.from(setUpToken(secret)));
}

/** The link to the set-up page. */
export function setUpLink(publicUrl: string, secret: string): string {
  return `${publicUrl}/setup?token=${setUpToken(secret)}`;
}
