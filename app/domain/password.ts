import type { Problem } from './problem.ts';

const SHORTEST = 10;
const LONGEST = 200;

/** The closed list of what makes a password unfit. */
export type PasswordProblem = 'too_short' | 'too_long' | 'is_email';

/** The form in which a password is hashed: composed, so that every keyboard's way of writing é is the same password. */
export function cleanPassword(text: string): string {
  return text.normalize('NFC');
}

/** Says what keeps a text from being the password of the person with this email; undefined promises it may be. */
export function passwordProblem(password: string, email: string): PasswordProblem | undefined {
  const clean = cleanPassword(password);
  const length = Array.from(clean).length;
  if (length < SHORTEST) return 'too_short';
  if (length > LONGEST) return 'too_long';
  return clean.trim().toLowerCase() === email.trim().toLowerCase() ? 'is_email' : undefined;
}

/** A password's fault as a problem with a text. */
export function passwordFault(key: PasswordProblem): Problem {
  return { key, values: { min: SHORTEST, max: LONGEST } };
}
