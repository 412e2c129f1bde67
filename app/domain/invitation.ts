/** The state of an invitation. */
export type InvitationStatus = 'pending' | 'accepted' | 'declined' | 'withdrawn';

/** How long an invitation can be accepted. */
export const INVITATION_LIFETIME_MS = 7 * 86_400_000;

/** Whether an invitation can be accepted or declined still. */
export function isPending(
  { status, expiresAt }: { status: InvitationStatus; expiresAt: number },
  now: number,
): boolean {
  return status === 'pending' && now < expiresAt;
}
