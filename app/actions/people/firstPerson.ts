import { z } from 'zod';
import type { FirstPerson } from '../tenants/setUp.ts';
import { Email } from '../../domain/email.ts';
import { passwordProblem, passwordFault } from '../../domain/password.ts';
import type { Problem } from '../../domain/problem.ts';
import { fieldErrors } from '../../http/fieldErrors.ts';
import { Name } from '../../domain/text.ts';

const Fields = z.strictObject({ name: Name, email: Email, password: z.string(), tenantName: Name });

export type FirstPersonProblems = Partial<Record<keyof FirstPerson, Problem>>;

/** Parses the fields of the first person, or says what is wrong with each field. */
export function readFirstPerson(written: FirstPerson): { person: FirstPerson } | { problems: FirstPersonProblems } {
  const result = Fields.safeParse(written, { reportInput: true });
  const problems: FirstPersonProblems = {};
  for (const { path, problem } of result.error ? fieldErrors(result.error) : [])
    problems[path as keyof FirstPerson] ??= problem;
  const password = passwordProblem(written.password, written.email);
  if (password) problems.password = passwordFault(password);
  return result.success && !password ? { person: result.data } : { problems };
}
