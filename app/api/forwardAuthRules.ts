import Router from '@koa/router';
import { actionContext } from '../actions/actionContext.ts';
import { replaceForwardAuthRules } from '../actions/installation/replaceForwardAuthRules.ts';
import { ruleSetOf } from '../auth/forwardAuthRules.ts';
import { tryRequest } from '../auth/forwardAuthTrial.ts';
import type { Context, State } from '../context.ts';
import type { ForwardAuthRule } from '../domain/forwardAuthRules.ts';
import { ForwardAuthRulesInput, rulesIn, TrialInput } from '../domain/forwardAuthRuleInput.ts';
import { scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { setEtag, showsEtag, takesIfMatch } from '../http/etag.ts';
import { body } from '../http/input.ts';
import { ROUTER } from '../http/router.ts';
import type { Services } from '../services.ts';
import {
  ForwardAuthRulesAnswer,
  presentForwardAuthRules,
  presentTrial,
  TrialAnswer,
} from './answers/forwardAuthRules.ts';

const PATH = '/forward-auth/rules';

/** What proxied requests need, for operators and their keys. */
export function forwardAuthRuleRoutes({
  db,
  lookup,
  limits,
  keyTexts,
}: Pick<Services, 'db' | 'lookup' | 'limits' | 'keyTexts'>): Router<State> {
  const show = async (ctx: Context, rules: readonly ForwardAuthRule[], revision: string) => {
    setEtag(ctx, revision);
    ctx.body = presentForwardAuthRules(rules, await lookup.catalogue());
  };

  return new Router<State>(ROUTER)
    .get(
      PATH,
      scope('platform:routes'),
      showsEtag(),
      answers(200, ForwardAuthRulesAnswer, 'Lists the rules of proxied requests in their order.'),
      async (ctx) => {
        const { forward_auth_rules: stored } = await lookup.settings();
        await show(ctx, ruleSetOf(stored).rules, stored.revision);
      },
    )
    .put(
      PATH,
      scope('platform:routes'),
      showsEtag(),
      takesIfMatch(),
      answers(
        200,
        ForwardAuthRulesAnswer,
        'Replaces all rules of proxied requests: the first that is about a request decides, and where none is, it is refused. They hold in every process once this is answered.',
      ),
      body(ForwardAuthRulesInput, async (ctx, input) => {
        const { rules, revision } = await replaceForwardAuthRules(actionContext(ctx, db), rulesIn(input));
        await show(ctx, rules, revision);
      }),
    )
    .post(
      '/forward-auth/try',
      scope('platform:routes'),
      answers(200, TrialAnswer, 'Says what the rules make of a request, and why; nothing is counted or recorded.'),
      body(TrialInput, async (ctx, trial) => {
        ctx.body = presentTrial(await tryRequest({ lookup, limits, keyTexts }, trial));
      }),
    );
}
