import { lifetimeProblem, policyFault, type Policy } from '../../domain/policy.ts';
import type { Problem, ProblemKey } from '../../domain/problem.ts';
import { AppError } from '../../errors.ts';

/** Refuses an expiry that has passed or that the policy forbids to a key whose life starts at `startsAt`. */
export function refuseExpiry(policy: Policy, expiresAt: number | null, startsAt: number, now: number): void {
  if (expiresAt !== null && expiresAt <= now) throw invalidField('expiresAt', 'must_lie_in_the_future');
  const problem = lifetimeProblem(policy, expiresAt, startsAt);
  if (problem) throw invalidField('expiresAt', policyFault(problem, policy));
}

/** The 422 of a field that is well-formed but cannot be had. */
export function invalidField(path: string, problem: ProblemKey | Problem): AppError {
  return new AppError('invalid_input', 'body_fields_wrong', {
    errors: [{ path, problem: typeof problem === 'string' ? { key: problem } : problem }],
  });
}
