import { AppError } from '../errors.ts';

/** Refuses an account whose password others may know everywhere but in the tenant that it was made for. */
export function refuseConfinedElsewhere({ confinedTo }: { confinedTo: string | null }, tenantId: string): void {
  if (confinedTo === null || confinedTo === tenantId) return;
  throw new AppError('password_change_required', 'password_known_to_others');
}
