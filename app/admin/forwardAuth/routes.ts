import Router from '@koa/router';
import { z } from 'zod';
import { actionContext } from '../../actions/actionContext.ts';
import { replaceForwardAuthRules } from '../../actions/installation/replaceForwardAuthRules.ts';
import { formOf } from '../../auth/csrf.ts';
import { ruleSetOf } from '../../auth/forwardAuthRules.ts';
import { tryRequest, type TrialOutcome } from '../../auth/forwardAuthTrial.ts';
import type { Context, State } from '../../context.ts';
import { ForwardAuthRuleInput, rulesIn, TrialInput } from '../../domain/forwardAuthRuleInput.ts';
import type { ForwardAuthRule } from '../../domain/forwardAuthRules.ts';
import { AppError } from '../../errors.ts';
import { scope } from '../../http/access.ts';
import { query } from '../../http/input.ts';
import { WholeNumber } from '../../http/queryValues.ts';
import { ROUTER } from '../../http/router.ts';
import type { Services } from '../../services.ts';
import { CONFLICT_STATUS, conflictRows, mergeValues, openedIn, type ConflictRow } from '../shell/conflict.ts';
import { formErrors, optionalField, readFields, recoverable } from '../shell/formErrors.ts';
import type { Notice } from '../shell/notice.ts';
import type { Pages } from '../shell/pages.ts';
import { presentOutcome, presentRulesPage, PUBLIC, scopeGroups } from './view.ts';

const HOME = '/admin/forward-auth';
/** The number of the rule that is changed, counted from 1; 0 for a new one. */
const RuleQuery = z.strictObject({ rule: WholeNumber({ min: 0, max: 1_000, fallback: 0 }) });

/** The fields of a rule, as its form sends them. */
interface RuleFields {
  method: string;
  host: string;
  path: string;
  scope: string;
}

const OpenedRule = z.object({ method: z.string(), host: z.string(), path: z.string(), scope: z.string() });

/** A form of a rule as its page shows it. */
interface RuleShown {
  number: number;
  version: string;
  fields: RuleFields;
  /** The rule as the form was first opened; by default as the fields are. */
  opened?: RuleFields | undefined;
  refusal?: AppError;
  /** What others have changed since, and a sentence for where that is not this rule. */
  conflict?: { rows: ConflictRow[]; sentence: string };
}

type Parts = Pick<Services, 'db' | 'lookup' | 'limits' | 'keyTexts'>;

/** The rules of proxied requests, for operators: each form changes one of them, on the version that its page showed. */
export function forwardAuthPages({ db, lookup, limits, keyTexts }: Parts, pages: Pages): Router<State> {
  const access = () => scope('platform:routes');
  return new Router<State>(ROUTER)
    .get('/forward-auth', access(), async (ctx) => showRules(ctx))
    .get(
      '/forward-auth/rule',
      access(),
      query(RuleQuery, async (ctx, { rule: number }) => {
        const { rules, version } = await current();
        const rule = rules[number - 1];
        if (number > 0 && !rule) throw new AppError('not_found', 'nothing_here');
        await showRule(ctx, { number, version, fields: rule ? fieldsOf(rule) : EMPTY });
      }),
    )
    .post('/forward-auth/rule', access(), async (ctx) => {
      const form = formOf(ctx);
      const number = numberIn(form);
      const fields = { ...EMPTY, ...Object.fromEntries(FIELDS.map((name) => [name, form.get(name)?.trim() ?? ''])) };
      const outcome = await recoverable(async () => {
        const rule = ruleIn(fields);
        return change(ctx, (rules) => (number > 0 ? rules.with(number - 1, rule) : [...rules, rule]));
      });
      const opened = openedIn(form, OpenedRule);
      if ('refusal' in outcome) {
        const version = form.get('version') ?? '';
        await showRule(ctx, { number, version, fields, opened, refusal: outcome.refusal });
      } else if (outcome.done) done(ctx, true, number > 0 ? 'changed' : 'added');
      else await showConflict(ctx, number, fields, opened);
    })
    .post('/forward-auth/move', access(), async (ctx) => {
      const [place, step] = [numberIn(formOf(ctx)) - 1, formOf(ctx).get('to') === 'up' ? -1 : 1];
      const moved = await change(ctx, (rules) => {
        const [one, other] = [rules[place], rules[place + step]];
        return one && other ? rules.with(place, other).with(place + step, one) : [...rules];
      });
      done(ctx, moved, 'moved');
    })
    .post('/forward-auth/remove', access(), async (ctx) => {
      const place = numberIn(formOf(ctx)) - 1;
      done(ctx, await change(ctx, (rules) => rules.filter((_, at) => at !== place)), 'removed');
    })
    .post('/forward-auth/try', access(), async (ctx) => {
      const form = formOf(ctx);
      const [host, key] = [optionalField(form, 'host'), optionalField(form, 'key')];
      const asked = { method: form.get('method') ?? '', path: form.get('path')?.trim() ?? '' };
      const outcome = await recoverable(async () => {
        const trial = readFields(TrialInput, {
          ...asked,
          ...(host !== undefined && { host }),
          ...(key !== undefined && { key }),
        });
        return tryRequest({ lookup, limits, keyTexts }, trial);
      });
      await showRules(ctx, { ...asked, host: host ?? '' }, outcome);
    });

  async function current(): Promise<{ rules: readonly ForwardAuthRule[]; version: string }> {
    const { forward_auth_rules: stored } = await lookup.settings();
    return { rules: ruleSetOf(stored).rules, version: stored.revision };
  }

  /** Replaces the rules by what is made of those that the form's page showed; false where somebody has changed them since. */
  async function change(
    ctx: Context,
    make: (rules: readonly ForwardAuthRule[]) => ForwardAuthRule[],
  ): Promise<boolean> {
    const seen = formOf(ctx).get('version') ?? '';
    const { rules, version } = await current();
    if (seen !== version) return false;
    try {
      await replaceForwardAuthRules({ ...actionContext(ctx, db), expectedVersions: [seen] }, make(rules));
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === 'changed_meanwhile') return false;
      throw error;
    }
  }

  function done(ctx: Context, made: boolean, what: 'added' | 'changed' | 'moved' | 'removed'): void {
    const late: Notice = { text: 'forwardAuth.changed_meanwhile', kind: 'warning' };
    pages.redirect(ctx, HOME, made ? { text: `forwardAuth.${what}` } : late);
  }

  /** Shows a rule's form again on the rules as they are now; a rule that was moved is found where it is. */
  async function showConflict(
    ctx: Context,
    number: number,
    yours: RuleFields,
    opened: RuleFields | undefined,
  ): Promise<void> {
    const { rules, version } = await current();
    const all = rules.map(fieldsOf);
    const found = all.findIndex((one) => opened && FIELDS.every((name) => one[name] === opened[name]));
    const place = found < 0 ? number - 1 : found;
    const stored = number > 0 ? all[place] : undefined;
    const { t } = pages.texts(ctx);
    const factsOf = (fields: RuleFields) =>
      FIELDS.map((name) => ({
        label: t(`forwardAuth.${name}`),
        value: name === 'scope' && fields.scope === PUBLIC ? t('forwardAuth.public') : fields[name],
      }));
    const versions = stored && { opened: opened ?? stored, yours, stored };
    ctx.status = CONFLICT_STATUS;
    await showRule(ctx, {
      ...{ number: stored ? place + 1 : 0, version, fields: versions ? mergeValues(versions) : yours, opened: stored },
      conflict: {
        rows: versions ? conflictRows(versions, factsOf) : [],
        sentence: t(number > 0 && !stored ? 'forwardAuth.conflict_gone' : 'forwardAuth.conflict_none'),
      },
    });
  }

  async function showRules(
    ctx: Context,
    tried: Record<string, string> = { method: 'GET', host: '', path: '' },
    outcome?: { done: TrialOutcome } | { refusal: AppError },
  ): Promise<void> {
    const { rules, version } = await current();
    const words = pages.texts(ctx);
    const { t } = words;
    const labels = {
      method: t('forwardAuth.method'),
      host: t('forwardAuth.host'),
      path: t('forwardAuth.path'),
      key: t('forwardAuth.key'),
    };
    const refusal = outcome && 'refusal' in outcome ? outcome.refusal : undefined;
    if (refusal) ctx.status = refusal.status;
    const locals = {
      ...presentRulesPage(rules, version, await lookup.catalogue()),
      tried,
      outcome: outcome && 'done' in outcome ? presentOutcome(outcome.done) : undefined,
      reason: outcome && 'done' in outcome ? reasonOf(ctx, outcome.done) : '',
      refused: refusal && formErrors(words, refusal, labels),
    };
    await pages.show(ctx, 'forwardAuth/list', {
      title: t('forwardAuth.title'),
      section: 'forwardAuth',
      here: HOME,
      locals,
    });
  }

  function reasonOf(ctx: Context, { code, path }: TrialOutcome): string {
    const { pageProblemText } = pages.texts(ctx);
    if ('fault' in path) return pageProblemText({ key: path.fault });
    return code === 'allowed' ? '' : pageProblemText({ key: code });
  }

  async function showRule(
    ctx: Context,
    { number, version, fields, opened = fields, refusal, conflict }: RuleShown,
  ): Promise<void> {
    if (refusal) ctx.status = refusal.status;
    const words = pages.texts(ctx);
    const { t, locale } = words;
    const labels = Object.fromEntries(FIELDS.map((name) => [name, t(`forwardAuth.${name}`)]));
    const scopes = scopeGroups(await lookup.catalogue(), locale);
    const known = scopes.flatMap(({ options }) => options.map(({ value }) => value));
    const locals = {
      ruleNumber: number,
      version,
      fields,
      opened: JSON.stringify(opened),
      conflict,
      scopes,
      publicValue: PUBLIC,
      isOther: fields.scope !== '' && fields.scope !== PUBLIC && !known.includes(fields.scope),
      refused: refusal && formErrors(words, withoutPlaces(refusal), labels),
    };
    const title = number > 0 ? t('forwardAuth.edit_title', { number }) : t('forwardAuth.new');
    await pages.show(ctx, 'forwardAuth/rule', { title, section: 'forwardAuth', here: HOME, locals });
  }
}

const FIELDS = ['method', 'host', 'path', 'scope'] as const;
const EMPTY: RuleFields = { method: 'GET', host: '', path: '', scope: '' };

function fieldsOf(rule: ForwardAuthRule): RuleFields {
  return { method: rule.method, host: rule.host ?? '', path: rule.path, scope: 'scope' in rule ? rule.scope : PUBLIC };
}

function ruleIn({ method, host, path, scope: demand }: RuleFields): ForwardAuthRule {
  const rule = readFields(ForwardAuthRuleInput, {
    method,
    path,
    ...(host !== '' && { host }),
    ...(demand === PUBLIC ? { public: true } : { scope: demand }),
  });
  const [read] = rulesIn({ rules: [rule] });
  if (!read) throw new Error('a rule was read and is gone');
  return read;
}

/** The action names fields by the place of their rule, the form has but one; what is wrong with a whole rule is its path's. */
function withoutPlaces(refusal: AppError): AppError {
  const errors = refusal.errors?.map(({ path, problem }) => {
    const [, field = 'path'] = /^rules\.\d+(?:\.(\w+))?$/.exec(path) ?? [, path];
    const { key, values } = problem;
    return {
      path: field,
      problem: key === 'rule_contradicts' ? { key, values: { rule: Number(values?.['rule']) + 1 } } : problem,
    };
  });
  return new AppError(refusal.code, refusal.problem, { ...(errors && { errors }) });
}

function numberIn(form: URLSearchParams): number {
  const text = form.get('rule') ?? '';
  return /^\d{1,4}$/.test(text) ? Number(text) : 0;
}
