import { z } from 'zod';
import { KeyChange, ENVIRONMENTS } from './keyInput.ts';
import { problem } from './problem.ts';
import { Name } from './text.ts';

const HASH_BYTES = 32;
const HEX = /^[0-9a-f]{64}$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{43}=?|[\w-]{43}=?)$/;

/** The 32 bytes of a SHA-256 that is written in hexadecimal, base64 or base64url, padded or not; undefined for any other text. */
export function readHash(text: string): Buffer | undefined {
  if (HEX.test(text)) return Buffer.from(text, 'hex');
  if (!BASE64.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === HASH_BYTES ? bytes : undefined;
}

const Hash = z
  .string()
  .transform((text, context) => {
    const bytes = readHash(text);
    if (bytes) return bytes;
    context.addIssue(problem('must_be_sha256'));
    return z.NEVER;
  })
  .meta({ description: 'SHA-256 of the key’s text: hexadecimal, base64 or base64url.' });

/** A part of the key’s text that may be shown. */
const Shown = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^[\x21-\x7e]*$/, problem('must_be_visible_ascii'));

/** A key that was issued elsewhere, by the hash of its text: what is known of it there, as far as it is known. */
export const ImportedKey = z
  .strictObject({
    ...KeyChange.shape,
    name: Name,
    hash: Hash,
    prefix: Shown(48).default('').meta({ description: 'What the key’s text begins with, to tell it by.' }),
    lastFour: Shown(4).default('').meta({ description: 'The last four characters of the key’s text.' }),
    environment: z.enum(ENVIRONMENTS).default('live'),
  })
  .meta({
    id: 'ImportedKey',
    examples: [
      {
        name: 'Nightly export',
        hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        prefix: 'sk_live_9f',
        lastFour: 'x7Qa',
        scopes: ['read'],
      },
    ],
  });
export type ImportedKey = z.output<typeof ImportedKey>;
