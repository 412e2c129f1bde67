import type { Context } from '../context.ts';
import { maskKeysIn } from '../domain/token.ts';
import type { AskedKey, Verdict, VerdictCode } from '../auth/verifyKeys.ts';
import type { UsageEvent } from '../usage/usage.ts';

/** What a request that was answered like this would have been answered by a route of ours. */
const STATUSES: Readonly<Record<VerdictCode, number>> = {
  valid: 200,
  not_found: 401,
  revoked: 401,
  expired: 401,
  paused: 401,
  tenant_mismatch: 403,
  policy_violation: 403,
  address_not_allowed: 403,
  insufficient_scope: 403,
  rate_limited: 429,
  quota_exceeded: 429,
};

/** How a question about a key stands in its usage log. */
export interface UseOfQuestion {
  method: 'VERIFY' | 'INTROSPECT';
  /** What the key was shown for. */
  endpoint: string;
  scope: string | null;
  ip: string | null;
  userAgent: string | null;
}

/** The use that a verdict records of its key; undefined where it records none. */
export function useOfVerdict(ctx: Context, { code, key, fault }: Verdict, use: UseOfQuestion): UsageEvent | undefined {
  // A use of a key that is refused for being unused would make it work again.
  if (!key || fault === 'unused_too_long') return undefined;
  const { requestId, startedAt } = ctx.state;
  return {
    tenantId: key.tenant.id,
    keyId: key.id,
    keyName: key.name,
    ...use,
    statusCode: STATUSES[code],
    responseMs: performance.now() - startedAt,
    at: Date.now(),
    requestId,
  };
}

const LONGEST_TEXT = 255;
/** More than is kept, however many keys in it become shorter. */
const LONGEST_READ = 4_096;
const UNFIT = /[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

/** A text of the caller's as the usage log may have it: on one line, cut, and without a key in it. */
export function loggedText(text: string | undefined, keyPrefix: string): string | null {
  if (text === undefined) return null;
  // Masked before it is cut, which could leave most of a key and nothing to know it by.
  const cleaned = maskKeysIn(text.slice(0, LONGEST_READ), keyPrefix).replace(UNFIT, ' ').trim();
  if (cleaned.length <= LONGEST_TEXT) return cleaned || null;
  return Array.from(cleaned).slice(0, LONGEST_TEXT).join('');
}

/** The scope that the key was asked for: the first of those it must all open, or else the one that did. */
export function askedScope(
  { scopes = [], anyScopes = [] }: Pick<AskedKey, 'scopes' | 'anyScopes'>,
  { key }: Verdict,
): string | null {
  return scopes[0] ?? anyScopes.find((scope) => key?.scopes.covers(scope)) ?? anyScopes[0] ?? null;
}
