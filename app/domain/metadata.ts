import { z } from 'zod';
import { refuses, type Problem } from './problem.ts';

/** What a customer keeps beside a key: flat, so that it can be shown and searched. */
export type Metadata = Record<string, string | number | boolean | null>;

const MOST_ENTRIES = 50;
const LONGEST_NAME = 40;
const LONGEST_TEXT = 500;
/** With all else that an audit row tells of a key this stays below what a text column holds. */
const LARGEST = 32_768;

const LONE_SURROGATE = /\p{Cs}/u;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u;

/**
 * Metadata as input. Checked by hand, since a record schema would drop an entry named `__proto__` without a word; the
 * names are the caller's own, so no error repeats them.
 */
export const Metadata = z
  .unknown()
  .check(refuses(metadataProblem))
  .transform((value) => value as Metadata)
  .meta({
    type: 'object',
    maxProperties: MOST_ENTRIES,
    propertyNames: { minLength: 1, maxLength: LONGEST_NAME },
    additionalProperties: { type: ['string', 'number', 'boolean', 'null'], maxLength: LONGEST_TEXT },
  });

function metadataProblem(value: unknown): Problem | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { key: 'must_be_object' };
  const entries = Object.entries(value);
  if (entries.length > MOST_ENTRIES) return { key: 'metadata_entries', values: { max: MOST_ENTRIES } };
  if (!entries.every(([name]) => isName(name))) return { key: 'metadata_names', values: { max: LONGEST_NAME } };
  if (!entries.every(([, entry]) => isScalar(entry))) return { key: 'metadata_values' };
  if (!entries.every(([, entry]) => isShort(entry))) return { key: 'metadata_texts', values: { max: LONGEST_TEXT } };
  return Buffer.byteLength(JSON.stringify(value)) <= LARGEST ? undefined : { key: 'metadata_size' };
}

function isName(name: string): boolean {
  return name !== '__proto__' && name.length <= LONGEST_NAME && PRINTABLE.test(name);
}

/** JSON can write a number beyond all bounds, but it could not be written back. */
function isScalar(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

function isShort(value: unknown): boolean {
  return typeof value !== 'string' || (value.length <= LONGEST_TEXT && !LONE_SURROGATE.test(value));
}
