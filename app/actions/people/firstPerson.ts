import { z } from 'zod';
import type { FirstPerson } from '../tenants/setUp.ts';
import { Email } from '../../domain/email.ts';
import { passwordProblem, passwordSentence } from '../../domain/password.ts';
import { Name } from '../../domain/text.ts';

const Fields = z.strictObject({ name: Name, email: Email, password: z.string(), tenantName: Name });

export type FirstPersonProblems = Partial<Record<keyof FirstPerson, string>>;

/** Reads the first person as somebody wrote them, or says what is wrong with each field. */
export function readFirstPerson(written: FirstPerson): { person: FirstPerson } | { problems: FirstPersonProblems } {
  const result = Fields.safeParse(written);
  const problems: FirstPersonProblems = {};
  for (const { path, message } of result.error?.issues ?? []) problems[path[0] as keyof FirstPerson] ??= message;
  const password = passwordProblem(written.password, written.email);
  if (password) problems.password = passwordSentence(password);
  return result.success && !password ? { person: result.data } : { problems };
}
