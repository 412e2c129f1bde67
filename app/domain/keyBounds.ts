import { isContained } from './network.ts';
import type { Rate } from './rate.ts';

/** A key's own limit, and the limit in force: without its own, that of its tenant or plan; null for none. */
interface Limit<T> {
  readonly own: T | null;
  readonly holds: T | null;
}

/** The bounds of a key beside its scopes. */
export interface KeyBounds {
  /** When it ends at the latest; null for never. */
  readonly expiresAt: number | null;
  /** Where it may be used from; empty for everywhere. */
  readonly allowedIps: readonly string[];
  readonly rateLimit: Limit<Rate>;
  readonly monthlyQuota: Limit<number>;
}

/** The bounded fields of a key as they are stored. */
export interface BoundedFields {
  readonly expiresAt: number | null;
  readonly allowedIps: readonly string[];
  readonly rateLimit: Rate | null;
  readonly monthlyQuota: number | null;
}

/** The fields in which a key goes beyond what the bounds allow; a field without a bound goes beyond any. */
export function fieldsBeyond(bounds: KeyBounds, key: BoundedFields): (keyof BoundedFields)[] {
  const within = {
    expiresAt: (key.expiresAt ?? Infinity) <= (bounds.expiresAt ?? Infinity),
    allowedIps: bounds.allowedIps.length === 0 || (key.allowedIps.length > 0 && areWithin(bounds, key)),
    rateLimit: isLimitWithin(bounds.rateLimit, key.rateLimit, isRateWithin),
    monthlyQuota: isLimitWithin(bounds.monthlyQuota, key.monthlyQuota, (quota, most) => quota <= most),
  };
  return FIELDS.filter((field) => !within[field]);
}

/** The fields narrowed to what the bounds allow. */
export function narrowToBounds(bounds: KeyBounds, key: BoundedFields): BoundedFields {
  const beyond = new Set(fieldsBeyond(bounds, key));
  return {
    expiresAt: earlierExpiry(key.expiresAt, bounds.expiresAt),
    allowedIps: beyond.has('allowedIps') ? bounds.allowedIps : key.allowedIps,
    rateLimit: beyond.has('rateLimit') ? bounds.rateLimit.own : key.rateLimit,
    monthlyQuota: beyond.has('monthlyQuota') ? bounds.monthlyQuota.own : key.monthlyQuota,
  };
}

/** The earlier of two ends, null being never. */
export function earlierExpiry(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

const FIELDS = ['expiresAt', 'allowedIps', 'rateLimit', 'monthlyQuota'] as const;

/** A key without a limit of its own follows its tenant, and so do the keys that it issues without one. */
function isLimitWithin<T>(
  { own, holds }: Limit<T>,
  wanted: T | null,
  within: (wanted: T, most: T) => boolean,
): boolean {
  if (wanted === null) return own === null;
  return holds === null || within(wanted, holds);
}

/** Whether a rate lets no more through than the other one, over any length of time. */
export function isRateWithin(rate: Rate, most: Rate): boolean {
  return rate.limit * Math.ceil(most.windowSeconds / rate.windowSeconds) <= most.limit;
}

function areWithin(bounds: KeyBounds, { allowedIps }: BoundedFields): boolean {
  return allowedIps.every((network) => isContained(network, bounds.allowedIps));
}
