import { AppError } from '../errors.ts';

/** Refuses an account in all tenants but the one it was created for, while others may still know its password. */
export function refuseConfinedElsewhere({ confinedTo }: { confinedTo: string | null }, tenantId: string): void {
  if (confinedTo === null || confinedTo === tenantId) return;
  throw new AppError('password_change_required', 'password_known_to_others');
}
