import { z } from 'zod';

/** What SMTP can deliver to. */
export const LONGEST_EMAIL = 254;

const NOT_AN_EMAIL = 'must_be_email';

/**
 * The one spelling of an email: trimmed and in lower case, since no provider in use tells `Ann@` from `ann@` and two
 * accounts that look alike would be a trap. Undefined when the text is no address in ASCII.
 */
export function normaliseEmail(text: string): string | undefined {
  const email = text.trim().toLowerCase();
  return email.length <= LONGEST_EMAIL && z.regexes.html5Email.test(email) ? email : undefined;
}

/** An email as input: refused when it is none, otherwise in its one spelling. */
export const Email = z
  .string()
  .refine((text) => normaliseEmail(text) !== undefined, NOT_AN_EMAIL)
  .overwrite((text) => normaliseEmail(text) ?? text)
  .meta({ format: 'email', maxLength: LONGEST_EMAIL });
