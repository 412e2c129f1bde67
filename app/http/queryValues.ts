import { z } from 'zod';
import { problem, refuses } from '../domain/problem.ts';
import { cleanName } from '../domain/text.ts';

/** A whole number of a query, from `min` to `max`. */
export function WholeNumber({ min = 1, max, fallback }: { min?: number; max: number; fallback: number }) {
  const key = problem('whole_number_between');
  return z
    .string()
    .check(refuses((text) => (isBetween(text, min, max) ? undefined : { key, values: { min, max } })))
    .transform(Number)
    .default(fallback)
    .meta({ type: 'integer', minimum: min, maximum: max, default: fallback });
}

function isBetween(text: string, min: number, max: number): boolean {
  return /^(0|[1-9]\d{0,8})$/.test(text) && Number(text) >= min && Number(text) <= max;
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
  .regex(/^\P{Cc}*$/u, problem('control_character'));
