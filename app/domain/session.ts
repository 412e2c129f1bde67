import { hash, randomBytes } from 'node:crypto';

/** How long a session stays open without use. */
export const IDLE_MS = 30 * 60_000;
/** How long a session stays open at most. */
export const LIFETIME_MS = 12 * 3_600_000;
/** The last visit of a session is stored at most this often, so that a page costs no write. */
export const VISIT_RECORDED_EVERY_MS = 60_000;

/** The times of a session that say whether it is open. */
export interface SessionTimes {
  lastSeenAt: number;
  expiresAt: number;
}

/** Whether a session may still be used. */
export function isOpen({ lastSeenAt, expiresAt }: SessionTimes, now: number): boolean {
  return now < expiresAt && now < lastSeenAt + IDLE_MS;
}

/** A text of 256 random bits: the token of a session in its cookie, or the one in its forms. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** The only form in which a session's token is stored. */
export function hashToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
