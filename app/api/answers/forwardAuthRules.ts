import { z } from 'zod';
import type { ForwardAuthRule } from '../../domain/forwardAuthRules.ts';
import { neverMatching } from '../../domain/forwardAuthRules.ts';
import { isKnownScope } from '../../domain/scopeCatalogue.ts';

const RuleAnswer = z
  .strictObject({
    host: z.string().optional(),
    method: z.string(),
    path: z.string(),
    scope: z.string().optional(),
    public: z.literal(true).optional(),
  })
  .meta({ id: 'StoredForwardAuthRule' });

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
          { method: '*', path: '/projects/*', scope: 'projects:write' },
          { method: 'GET', path: '/projects/:id', scope: 'projects:read' },
        ],
        warnings: [{ rule: 1, code: 'never_matches' as const, hiddenBy: 0 }],
      },
    ],
  });

export type RuleWarning = z.output<typeof WarningAnswer>;

/** What is odd about rules that are allowed: one that no request reaches, and one whose scope nobody can be given any more. */
export function warningsOf(rules: readonly ForwardAuthRule[]): RuleWarning[] {
  const hidden = neverMatching(rules).map(({ rule, hiddenBy }) => ({ rule, code: 'never_matches' as const, hiddenBy }));
  const unknown = rules.flatMap((rule, place) =>
    'scope' in rule && !isKnownScope(rule.scope) ? [{ rule: place, code: 'unknown_scope' as const }] : [],
  );
  return [...hidden, ...unknown].sort((a, b) => a.rule - b.rule);
}

export function presentForwardAuthRules(rules: readonly ForwardAuthRule[]): z.output<typeof ForwardAuthRulesAnswer> {
  return { rules: rules.map((rule) => ({ ...rule })), warnings: warningsOf(rules) };
}
