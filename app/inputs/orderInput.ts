import { z } from 'zod';
import { problem } from '../domain/problem.ts';
import { PLAN_IDS } from '../domain/plan.ts';

/** The order of a plan. */
export const Order = z
  .strictObject({
    plan: z.enum(PLAN_IDS),
    reference: z
      .string()
      .regex(/^[\x21-\x7e]{1,100}$/, problem('must_be_reference'))
      .optional(),
  })
  .meta({ examples: [{ plan: 'pro', reference: 'order-2041' }] });
