import { holdsScope } from '../authority.ts';
import type { Policy } from '../domain/policy.ts';
import { isPlatformScope } from '../domain/scopeCatalogue.ts';
import { AppError } from '../errors.ts';
import { missingScope } from '../middleware/challenge.ts';
import type { Act } from './act.ts';

/** Refuses a key that manages keys where the policy, read in the same transaction, does not let it. */
export function refuseKeysUnlessAllowed({ principal }: Act, policy: Policy): void {
  if (principal?.type !== 'api_key' || policy.keysMayManageKeys) return;
  throw new AppError('insufficient_permission', 'The policy of this tenant does not let API keys manage keys.');
}

/** Refuses to give away scopes that the caller does not hold; those of the platform only an operator gives, in person. */
export function refuseToGrantBeyondOwn(act: Act, scopes: readonly string[]): void {
  if (act.principal?.type === 'api_key') {
    const platform = scopes.find(isPlatformScope);
    if (platform !== undefined) throw forOperators(platform);
  }
  refuseBeyondOwnScopes(act, scopes);
}

/** Refuses to lay hands on a key that may do more than the caller: whoever rotates a key holds its new text. */
export function refuseBeyondOwnScopes({ principal }: Act, scopes: readonly string[]): void {
  const beyond = principal && scopes.find((scope) => !holdsScope(principal, scope));
  if (beyond === undefined) return;
  if (principal?.type === 'api_key') throw missingScope(beyond);
  throw isPlatformScope(beyond)
    ? forOperators(beyond)
    : new AppError('insufficient_permission', `Your role does not reach as far as the scope ${beyond}.`);
}

/** A person who may manage keys may stop any of them; a key that could would be a way to lock its masters out. */
export function refuseToStopBeyondOwn(act: Act, scopes: readonly string[]): void {
  if (act.principal?.type === 'api_key') refuseBeyondOwnScopes(act, scopes);
}

function forOperators(scope: string): AppError {
  return new AppError('insufficient_permission', `Only an operator can grant the scope ${scope}.`);
}
