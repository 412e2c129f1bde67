import { z } from 'zod';
import { problem } from './problem.ts';
import { parseInstant } from './times.ts';

/** A moment as input: ISO 8601 with its zone, as epoch ms; days that no calendar has are refused. */
export const Instant = z
  .string()
  .transform((text, context) => {
    const instant = parseInstant(text);
    if (instant !== undefined) return instant;
    context.addIssue(problem('must_be_moment'));
    return z.NEVER;
  })
  .meta({ format: 'date-time' });
