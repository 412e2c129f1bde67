import type { ProblemKey } from '../domain/problem.ts';
import type { Permission, Role } from '../domain/role.ts';
import { AppError } from '../errors.ts';
import type { ActionContext } from './actionContext.ts';

/** Refuses a key that adds, changes or removes a person who is more than a member without permissions. */
export function refuseMoreThanPlainMember(role: Role, permissions: readonly Permission[]): void {
  if (role === 'MEMBER' && permissions.length === 0) return;
  throw new AppError('insufficient_permission', 'keys_only_plain_members');
}

/** Refuses a key that changes what only a person may change. */
export function requirePerson({ principal }: ActionContext, problem: ProblemKey, path?: string): void {
  if (principal?.type !== 'api_key') return;
  throw new AppError('insufficient_permission', problem, {
    ...(path !== undefined && { errors: [{ path, problem: { key: 'only_a_person_changes' } }] }),
  });
}
