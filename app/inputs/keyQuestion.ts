import { z } from 'zod';
import { normaliseAddress } from '../domain/network.ts';
import { problem } from '../domain/problem.ts';
import { normaliseScope } from '../domain/scope.ts';

const LONGEST_SCOPE = 100;
const MOST_SCOPES = 100;
const MOST_KEYS = 100;
const HIGHEST_COST = 1_000;

/** A scope that is asked for; it need not be one of the catalogue, since another backend has routes of its own. */
const AskedScope = z
  .string()
  .max(LONGEST_SCOPE)
  .refine((text) => normaliseScope(text) !== undefined, problem('not_a_scope'));

const AskedScopes = z.array(AskedScope).min(1).max(MOST_SCOPES);

const Address = z
  .string()
  .refine((text) => normaliseAddress(text) !== undefined, problem('must_be_address'))
  .overwrite((text) => normaliseAddress(text) ?? text);

/** What another backend asks about a key that was shown to it. */
export const KeyQuestion = z
  .strictObject({
    key: z.string().describe('The text that was shown, whatever it is.'),
    tenantId: z
      .string()
      .optional()
      .describe('The tenant that the request is about, by id or slug: a key of another one is refused.'),
    scopes: AskedScopes.optional().describe('The scopes that the key must open, all of them.'),
    anyScopes: AskedScopes.optional().describe('Scopes of which the key must open one.'),
    ip: Address.optional().describe(
      'The address that the key was shown from. Without it the networks of the key and its tenant are not checked.',
    ),
    userAgent: z.string().optional().describe('What showed the key, for the usage log; a long one is cut.'),
    resource: z
      .string()
      .optional()
      .describe('What the key was shown for, in the usage log: a route such as `/invoices/:id`, not an address.'),
    cost: z
      .int()
      .min(1)
      .max(HIGHEST_COST)
      .default(1)
      .describe('How many requests this one counts as, for the key’s rate limit and its quota.'),
    dryRun: z
      .boolean()
      .default(false)
      .describe('Only asks: nothing is counted or recorded, and the answer has a `trace`.'),
  })
  .meta({
    id: 'KeyQuestion',
    examples: [{ key: 'fsk_live_0123456789ABCDEFGHIJKLMNOPQRSTUV', scopes: ['invoices:read'], ip: '203.0.113.7' }],
  });
export type KeyQuestion = z.output<typeof KeyQuestion>;

export const KeyQuestions = z.strictObject({ keys: z.array(KeyQuestion).min(1).max(MOST_KEYS) }).meta({
  examples: [
    {
      keys: [
        { key: 'fsk_live_0123456789ABCDEFGHIJKLMNOPQRSTUV' },
        { key: 'fsk_test_0123456789ABCDEFGHIJKLMNOPQRSTUV', scopes: ['invoices:read'] },
      ],
    },
  ],
});
