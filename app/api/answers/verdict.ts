import { z } from 'zod';
import { CHECKS, VERDICT_CODES, type Verdict } from '../../auth/verifyKeys.ts';
import { ENVIRONMENTS } from '../../domain/keyInput.ts';
import type { Metadata } from '../../domain/metadata.ts';
import { iso } from '../../domain/times.ts';

const Saw = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]));

const ProblemDocument = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  requestId: z.string(),
});

/** What another backend is told of a key that was shown to it. */
export const VerdictAnswer = z
  .strictObject({
    valid: z
      .boolean()
      .describe('Whether to let the caller in. Good for this moment alone: ask again for the next request.'),
    code: z
      .enum(VERDICT_CODES)
      .describe(
        'Why, as the first check that failed has it. `revoked` is also a key whose person lost access, `expired` one that was unused for longer than its tenant allows, `paused` also one whose tenant is suspended; `policy_violation` is a key that breaks the lifetime rules of its tenant, which enforces them on existing keys.',
      ),
    keyId: z.string().optional().describe('The key’s id. This and all below is absent where the key is not known.'),
    tenantId: z.string().optional().describe('The tenant that the key belongs to.'),
    name: z.string().optional().describe('What people call the key.'),
    scopes: z.array(z.string()).optional().describe('What the key may do.'),
    environment: z.enum(ENVIRONMENTS).optional().describe('Whether it is a live or a test key.'),
    externalId: z
      .string()
      .nullable()
      .optional()
      .describe('What the key, or whoever has it, is called in another system.'),
    metadata: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .optional()
      .describe('Anything that was noted with the key.'),
    expiresAt: z.iso
      .datetime()
      .nullable()
      .optional()
      .describe('When the key stops working by itself, a rotated one at the end of its grace; null for never.'),
    rateLimit: z
      .strictObject({ limit: z.int(), remaining: z.int(), resetSeconds: z.int() })
      .optional()
      .describe(
        'How the key stands with its rate limit, which its direct calls count for too; absent where it has none.',
      ),
    quota: z
      .strictObject({ limit: z.int(), remaining: z.int() })
      .optional()
      .describe('How the key stands with its monthly quota; absent where it has none.'),
    missingScopes: z
      .array(z.string())
      .optional()
      .describe('The scopes that were asked for and that the key does not open.'),
    refusal: z
      .strictObject({ headers: z.record(z.string(), z.string()), problem: ProblemDocument })
      .optional()
      .describe(
        'What to answer whoever showed the key, as Latchkey itself would: `problem` as the body, with its status and these headers. Its `detail` follows the `Accept-Language` of the question. Absent where the key is valid.',
      ),
    trace: z
      .array(z.strictObject({ check: z.enum(CHECKS), outcome: z.enum(['passed', 'failed', 'skipped']), saw: Saw }))
      .optional()
      .describe('With `dryRun`: the checks in their order, each with what it looked at.'),
  })
  .meta({
    id: 'KeyVerdict',
    examples: [
      {
        valid: true,
        code: 'valid',
        keyId: '0198c0de-7a11-7abc-8def-0123456789ab',
        tenantId: '0198c0de-7a11-7abc-8def-0123456789ac',
        name: 'Nightly export',
        scopes: ['invoices:read'],
        environment: 'live',
        externalId: 'customer-1042',
        metadata: {},
        expiresAt: null,
        rateLimit: { limit: 600, remaining: 599, resetSeconds: 60 },
      },
    ],
  });

export const VerdictListAnswer = z.strictObject({
  results: z.array(VerdictAnswer).describe('In the order of the questions.'),
});

export function presentVerdict(
  verdict: Verdict,
  refusal: z.output<typeof VerdictAnswer>['refusal'],
): z.output<typeof VerdictAnswer> {
  const { code, key, missingScopes, limit, quota, trace } = verdict;
  const answer: z.output<typeof VerdictAnswer> = { valid: code === 'valid', code };
  if (key) {
    answer.keyId = key.id;
    answer.tenantId = key.tenant.id;
    answer.name = key.name;
    answer.scopes = [...key.scopes.scopes];
    answer.environment = key.environment;
    answer.externalId = key.externalId;
    answer.metadata = key.metadata === '{}' ? {} : (JSON.parse(key.metadata) as Metadata);
    answer.expiresAt = iso(key.bounds.expiresAt);
  }
  if (limit) {
    const { rule, remaining, resetSeconds } = limit;
    answer.rateLimit = { limit: rule.limit, remaining, resetSeconds };
  }
  if (quota) answer.quota = { limit: quota.quota, remaining: quota.left };
  if (missingScopes) answer.missingScopes = missingScopes;
  if (refusal) answer.refusal = refusal;
  if (trace) answer.trace = trace;
  return answer;
}
