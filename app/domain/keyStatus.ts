/** The statuses of a key in lists and filters; `rotating` is replaced already but still valid. */
export const KEY_STATUSES = ['active', 'rotating', 'paused', 'expired', 'revoked'] as const;
export type KeyStatus = (typeof KEY_STATUSES)[number];

/** The fields that decide a key's status: times in epoch ms, null if not set. */
export interface KeyStatusFacts {
  readonly revokedAt: number | null;
  readonly expiresAt: number | null;
  /** Set by rotation: the moment until which the replaced key still works, the rotation itself when at once. */
  readonly graceEndsAt: number | null;
  readonly successorKeyId: string | null;
  /** Set while somebody has paused the key; it works again once it is resumed. */
  readonly pausedAt: number | null;
}

/** Says why a key must be refused at `now`; undefined promises that it is valid. */
export function whyNotValid(key: KeyStatusFacts, now: number): 'revoked' | 'expired' | 'paused' | undefined {
  return whyEnded(key, now) ?? (key.pausedAt === null ? undefined : 'paused');
}

/** Says why a key has ended for good by `now`; undefined promises that it works, or would once it is resumed. */
export function whyEnded(key: KeyStatusFacts, now: number): 'revoked' | 'expired' | undefined {
  if (key.revokedAt !== null) return 'revoked';
  if (hasBeenRotated(key) && !isBefore(now, key.graceEndsAt)) return 'revoked';
  if (key.expiresAt !== null && !isBefore(now, key.expiresAt)) return 'expired';
  return undefined;
}

/** Says which of the statuses a key has at `now`: valid exactly when it is `active` or `rotating`. */
export function keyStatus(key: KeyStatusFacts, now: number): KeyStatus {
  return whyNotValid(key, now) ?? (hasBeenRotated(key) ? 'rotating' : 'active');
}

function hasBeenRotated({ graceEndsAt, successorKeyId }: KeyStatusFacts): boolean {
  return graceEndsAt !== null || successorKeyId !== null;
}

/** Asked as "still before" so that a missing or unreadable end counts as reached. */
function isBefore(now: number, end: number | null): boolean {
  return end !== null && now < end;
}
