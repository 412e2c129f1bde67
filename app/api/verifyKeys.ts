import Router from '@koa/router';
import { holdsScope } from '../auth/authority.ts';
import { refusalOf } from '../auth/verdictRefusal.ts';
import { verifyKeys, type Verdict } from '../auth/verifyKeys.ts';
import { principalOf, type Context, type State } from '../context.ts';
import { scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { problemDocument } from '../http/handleErrors.ts';
import { body } from '../http/input.ts';
import { ROUTER } from '../http/router.ts';
import { KeyQuestion, KeyQuestions } from '../inputs/keyQuestion.ts';
import type { Services } from '../services.ts';
import { presentVerdict, VerdictAnswer, VerdictListAnswer } from './answers/verdict.ts';
import { askedScope, loggedText, useOfVerdict } from './verifiedKeyUse.ts';

/** Who may ask about keys: of their own tenant with the first scope, of every tenant with the second. */
export const verifying = () => scope('keys:verify', 'platform:verify');

/** The only tenant whose keys the caller may know of; undefined for all. */
export function verifiableTenant(ctx: Context): string | undefined {
  const principal = principalOf(ctx);
  return holdsScope(principal, 'platform:verify') ? undefined : principal.tenant.id;
}

function refusalTold(ctx: Context, verdict: Verdict) {
  const refusal = refusalOf(verdict, Date.now());
  if (!refusal) return undefined;
  const headers = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', ...refusal.headers };
  return { headers, problem: problemDocument(ctx, refusal, refusal.status) };
}

/** Whether a key is good, for other backends that it was shown to. */
export function verifyKeyRoutes({
  config,
  lookup,
  limits,
  keyTexts,
  usage,
}: Pick<Services, 'config' | 'lookup' | 'limits' | 'keyTexts' | 'usage'>): Router<State> {
  const keyPrefix = config.keys.prefix;

  const parts = ({ state: { askedAhead } }: Context) =>
    askedAhead ? { lookup: askedAhead, limits, keyTexts: askedAhead } : { lookup, limits, keyTexts };

  const verdictsOn = async (ctx: Context, questions: readonly KeyQuestion[]) => {
    const asked = questions.map((one) => ({ ...one, counting: one.dryRun ? ('look' as const) : ('spend' as const) }));
    const verdicts = await verifyKeys(parts(ctx), verifiableTenant(ctx), asked);
    return verdicts.map((verdict, place) => {
      const question = questions[place] as KeyQuestion;
      if (!question.dryRun) record(ctx, verdict, question);
      return presentVerdict(verdict, verdict.code === 'valid' ? undefined : refusalTold(ctx, verdict));
    });
  };

  const record = (ctx: Context, verdict: Verdict, question: KeyQuestion) => {
    const use = useOfVerdict(ctx, verdict, {
      method: 'VERIFY',
      endpoint: loggedText(question.resource, keyPrefix) ?? 'verify',
      scope: askedScope(question, verdict),
      ip: question.ip ?? null,
      userAgent: loggedText(question.userAgent, keyPrefix),
    });
    if (use) ctx.state.usesWritten = usage.record(use);
  };

  return new Router<State>(ROUTER)
    .post(
      '/keys/verify',
      verifying(),
      answers(200, VerdictAnswer, 'Says whether a key is good, and counts its use; a bad key is 200 too.'),
      body(KeyQuestion, async (ctx, question) => {
        [ctx.body] = await verdictsOn(ctx, [question]);
      }),
    )
    .post(
      '/keys/verify-batch',
      verifying(),
      answers(200, VerdictListAnswer, 'Does the same for up to 100 keys, in their order.'),
      body(KeyQuestions, async (ctx, { keys }) => {
        ctx.body = { results: await verdictsOn(ctx, keys) };
      }),
    );
}
