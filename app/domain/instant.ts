import { z } from 'zod';
import { parseInstant } from './times.ts';

/** A moment as input: ISO 8601 with its zone, as epoch ms; days that no calendar has are refused. */
export const Instant = z
  .string()
  .transform((text, context) => {
    const instant = parseInstant(text);
    if (instant !== undefined) return instant;
    context.addIssue('Must be a date and time with its zone, such as 2030-01-31T12:00:00Z');
    return z.NEVER;
  })
  .meta({ format: 'date-time' });
