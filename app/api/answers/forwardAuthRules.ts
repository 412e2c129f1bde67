import { z } from 'zod';
import { principalOfKey } from '../../auth/apiKey.ts';
import type { TrialOutcome } from '../../auth/forwardAuthTrial.ts';
import { neverMatching, type ForwardAuthRule } from '../../domain/forwardAuthRules.ts';
import type { ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import { presentIdentity } from './forwardAuth.ts';

const RuleAnswer = z
  .strictObject({
    host: z.string().optional(),
    method: z.string(),
    path: z.string(),
    scope: z.string().optional(),
    public: z.literal(true).optional(),
  })
  .meta({ id: 'ForwardAuthRule' });

const WarningAnswer = z
  .strictObject({
    rule: z.int().describe('The place of the rule, the first is 0.'),
    code: z.enum(['never_matches', 'unknown_scope']),
    hiddenBy: z.int().optional().describe('The place of the earlier rule that is about all of its requests.'),
  })
  .meta({ id: 'ForwardAuthWarning' });

/** The rules of proxied requests in their order, and what is odd about them. */
export const ForwardAuthRulesAnswer = z
  .strictObject({ rules: z.array(RuleAnswer), warnings: z.array(WarningAnswer) })
  .meta({
    id: 'ForwardAuthRules',
    examples: [
      {
        rules: [
          { method: '*', path: '/people/*', scope: 'users:write' },
          { method: 'GET', path: '/people/:id', scope: 'users:read' },
        ],
        warnings: [{ rule: 1, code: 'never_matches' as const, hiddenBy: 0 }],
      },
    ],
  });

export type RuleWarning = z.output<typeof WarningAnswer>;

/** What is odd about rules that are allowed: one that no request reaches, and one whose scope nobody can be given any more. */
export function warningsOf(rules: readonly ForwardAuthRule[], catalogue: ScopeCatalogue): RuleWarning[] {
  const hidden = neverMatching(rules).map(({ rule, hiddenBy }) => ({ rule, code: 'never_matches' as const, hiddenBy }));
  const unknown = rules.flatMap((rule, place) =>
    'scope' in rule && !catalogue.isKnown(rule.scope) ? [{ rule: place, code: 'unknown_scope' as const }] : [],
  );
  return [...hidden, ...unknown].sort((a, b) => a.rule - b.rule);
}

/** What the rules make of a request that was tried. */
export const TrialAnswer = z
  .strictObject({
    allowed: z.boolean(),
    status: z.int().describe('The status that a proxy would be answered with.'),
    code: z.string().describe('`allowed`, or the code of the refusal.'),
    path: z.string().nullable().describe('The path as the rules see it; null where it is refused before any of them.'),
    pathFault: z.string().optional().describe('What is wrong with that path.'),
    rule: z
      .int()
      .nullable()
      .describe('The place of the rule that decides, the first is 0; null where none is about the request.'),
    matched: RuleAnswer.optional().describe('That rule.'),
    passedOver: z
      .array(z.strictObject({ rule: z.int(), because: z.enum(['host', 'method', 'path']) }))
      .describe('The rules before it, each with the first part that is not about the request.'),
    headers: z
      .record(z.string(), z.string())
      .optional()
      .describe('Where it is let through: what the backend would be told of the caller.'),
  })
  .meta({
    id: 'ForwardAuthTrialOutcome',
    examples: [
      {
        allowed: false,
        status: 401,
        code: 'missing_credential',
        path: '/people/42',
        rule: 1,
        matched: { method: 'GET', path: '/people/:id', scope: 'users:read' },
        passedOver: [{ rule: 0, because: 'method' as const }],
      },
    ],
  });

export function presentTrial(outcome: TrialOutcome): z.output<typeof TrialAnswer> {
  const { code, status, path, match, passedOver, key } = outcome;
  const allowed = code === 'allowed';
  return {
    allowed,
    status,
    code,
    path: 'path' in path ? path.path : null,
    ...('fault' in path && { pathFault: path.fault }),
    rule: match?.place ?? null,
    ...(match && { matched: { ...match.rule } }),
    passedOver: passedOver.map(({ place, because }) => ({ rule: place, because })),
    ...(allowed && { headers: presentIdentity(key && principalOfKey(key)) }),
  };
}

export function presentForwardAuthRules(
  rules: readonly ForwardAuthRule[],
  catalogue: ScopeCatalogue,
): z.output<typeof ForwardAuthRulesAnswer> {
  return { rules: rules.map((rule) => ({ ...rule })), warnings: warningsOf(rules, catalogue) };
}
