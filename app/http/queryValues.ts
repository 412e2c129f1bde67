import { z } from 'zod';
import { cleanName } from '../domain/text.ts';

/** A whole number of a query, from `min` to `max`. */
export function WholeNumber({ min = 1, max, fallback }: { min?: number; max: number; fallback: number }) {
  const message = `Must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^(0|[1-9]\d{0,8})$/, message)
    .transform(Number)
    .refine((number) => number >= min && number <= max, message)
    .default(fallback)
    .meta({ type: 'integer', minimum: min, maximum: max, default: fallback });
}

/** A yes or no of a query. */
export const Flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .default(false)
  .meta({ type: 'boolean', default: false });

/** A text to search for. */
export const SearchText = z
  .string()
  .overwrite(cleanName)
  .max(100)
  // SQLite takes a NUL for the end of a pattern.
  .regex(/^\P{Cc}*$/u, 'control_character');
