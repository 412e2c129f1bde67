import { transaction } from '../../../db/connection/connect.ts';
import { lockSetting, replaceSetting } from '../../../db/tables/installationSettings.ts';
import { changedFields } from '../../domain/auditEvent.ts';
import { neverMatching, type ForwardAuthRule, type RuleRequests } from '../../domain/forwardAuthRules.ts';
import type { ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import { AppError, type FieldError } from '../../errors.ts';
import { refuseChanged } from '../../http/etag.ts';
import { ruleSetOf } from '../../auth/forwardAuthRules.ts';
import type { ActionContext } from '../actionContext.ts';
import { recordAuditEvent } from '../auditRecord.ts';
import { shareCatalogue } from '../grantableScopes.ts';

const SETTING = 'forward_auth_rules';

/** The rules as they are stored, and the revision that every change of them makes anew. */
export interface StoredRules {
  rules: readonly ForwardAuthRule[];
  revision: string;
}

/**
 * Replaces all rules of proxied requests; they hold in every process once this returns. Rules that are the same as before
 * change nothing, and keep their revision, which is their version.
 */
export async function replaceForwardAuthRules(
  act: ActionContext,
  rules: readonly ForwardAuthRule[],
): Promise<StoredRules> {
  return transaction(act.db, async (trx) => {
    refuseWrong(rules, await shareCatalogue(trx));
    const stored = await lockSetting(trx, SETTING);
    refuseChanged(act.expectedVersions, stored.revision);
    const before = ruleSetOf(stored).rules;
    const changes = changedRules(before, rules);
    if (!changes.before && !changes.after) return { rules, revision: stored.revision };
    const revision = await replaceSetting(trx, SETTING, JSON.stringify({ rules }), act.now);
    await recordAuditEvent(trx, act, { action: 'ROUTES_CHANGED', entityId: revision, ...changes });
    return { rules, revision };
  });
}

/** Refuses scopes that nobody can be given, and rules that ask for something else than an earlier one of the same requests. */
function refuseWrong(rules: readonly ForwardAuthRule[], catalogue: ScopeCatalogue): void {
  const errors: FieldError[] = [];
  for (const [place, rule] of rules.entries()) {
    if ('scope' in rule && !catalogue.isKnown(rule.scope)) {
      errors.push({
        path: `rules.${place}.scope`,
        problem: { key: 'unknown_scope', values: { scope: rule.scope } },
      });
    }
  }
  for (const { rule, hiddenBy } of neverMatching(rules)) {
    const [later, earlier] = [rules[rule], rules[hiddenBy]];
    if (!later || !earlier || !isAboutSame(earlier, later) || demandOf(earlier) === demandOf(later)) continue;
    errors.push({ path: `rules.${rule}`, problem: { key: 'rule_contradicts', values: { rule: hiddenBy } } });
  }
  if (errors.length > 0) throw new AppError('invalid_input', 'body_fields_wrong', { errors });
}

function isAboutSame(one: RuleRequests, other: RuleRequests): boolean {
  return one.host === other.host && one.method === other.method && one.path === other.path;
}

/** For the audit log: the rules that were added and removed, or all of them where only their order changed. */
function changedRules(before: readonly ForwardAuthRule[], after: readonly ForwardAuthRule[]) {
  const [earlier, later] = [before.map(lineOf), after.map(lineOf)];
  const gone = earlier.filter((line) => !later.includes(line));
  const added = later.filter((line) => !earlier.includes(line));
  const isReordered = gone.length + added.length === 0;
  return changedFields({ rules: logged(isReordered ? earlier : gone) }, { rules: logged(isReordered ? later : added) });
}

/** What a column of the audit log has room for, in bytes. */
const LONGEST_LOGGED = 50_000;

function logged(lines: readonly string[]): string[] {
  let room = LONGEST_LOGGED;
  const kept = lines.filter((line) => (room -= Buffer.byteLength(line) + 4) > 0);
  return kept.length === lines.length ? kept : [...kept, `… (${lines.length - kept.length})`];
}

/** A rule on one line, as people read it. */
function lineOf(rule: ForwardAuthRule): string {
  return `${rule.method} ${rule.host ?? ''}${rule.path} → ${demandOf(rule)}`;
}

function demandOf(rule: ForwardAuthRule): string {
  return 'scope' in rule ? rule.scope : 'public';
}
