import { z } from 'zod';
import { problem } from './problem.ts';
import { isId } from './id.ts';
import { iso, parseInstant } from './times.ts';

/** The fields of records, beside names, texts and emails. */

/** A field that may be left out or be null, and is kept as null then. */
export function optional<T extends z.ZodType>(schema: T): z.ZodDefault<z.ZodNullable<T>> {
  // A schema's own null is null whatever the schema, which the compiler cannot know.
  return (schema.nullable() as z.ZodNullable).default(null) as unknown as z.ZodDefault<z.ZodNullable<T>>;
}

/** One of a few words; the first is the default. */
export function OneOf<const Words extends readonly [string, ...string[]]>(...words: Words) {
  return z.enum(words).default(words[0] as Words[number]);
}

/** A short name for machines: a stock-keeping unit, a version, a kind. */
export const Code = z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, problem('must_be_code'));

/** What a webhook is told of: `order.paid`, or everything. */
export const EventName = z.string().regex(/^(?:\*|[a-z][a-z0-9_.-]{0,63})$/, problem('must_be_event_name'));

/** How many of something. */
export const Count = z.int().min(0).max(1_000_000_000);

/** An amount in the smallest unit of its currency, so that no cent is ever rounded away. */
export const Price = z.strictObject({
  amount: z.int().min(0).max(1_000_000_000_000),
  currency: z.string().regex(/^[A-Z]{3}$/, problem('must_be_currency')),
});

/** A day of the calendar, without a time and so without a zone. */
export const Day = z.iso.date(problem('must_be_day'));

/** A moment as ISO 8601 with its zone, kept as UTC. */
export const Moment = z
  .string()
  .refine((text) => parseInstant(text) !== undefined, problem('must_be_moment'))
  .overwrite((text) => iso(parseInstant(text) ?? null) ?? text)
  .meta({ format: 'date-time' });

/** The id of another row. */
export const Id = z.string().refine(isId, problem('must_be_id')).meta({ format: 'uuid' });

/** What kind of content a file has. */
export const MediaType = z.string().regex(/^[a-z]{1,20}\/[a-z0-9][a-z0-9.+-]{0,99}$/, problem('must_be_media_type'));

const LONGEST_URL = 2000;

/** An address on the web, reached over TLS and without credentials in it. */
export const HttpsUrl = z
  .string()
  .max(LONGEST_URL)
  .refine(isHttpsUrl, problem('must_be_https'))
  .meta({ format: 'uri', pattern: '^https://' });

function isHttpsUrl(text: string): boolean {
  if (!/^https:\/\/[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}
