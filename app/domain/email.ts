import { z } from 'zod';
import { problem } from './problem.ts';

/** What SMTP can deliver to. */
export const LONGEST_EMAIL = 254;

/**
 * The one spelling of an email: trimmed and in lower case, since no provider in use tells `Ann@` from `ann@` and two
 * accounts that look alike would be a trap. Undefined when the text is no address in ASCII.
 */
export function normaliseEmail(text: string): string | undefined {
  const email = text.trim().toLowerCase();
  return email.length <= LONGEST_EMAIL && z.regexes.html5Email.test(email) ? email : undefined;
}

/** An email as input, normalised; text that is no email is refused. */
export const Email = z
  .string()
  .refine((text) => normaliseEmail(text) !== undefined, problem('must_be_email'))
  .overwrite((text) => normaliseEmail(text) ?? text)
  .meta({ format: 'email', maxLength: LONGEST_EMAIL });
