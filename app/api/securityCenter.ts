import Router from '@koa/router';
import { actionContext } from '../actions/actionContext.ts';
import { changePolicy } from '../actions/tenants/changePolicy.ts';
import { principalOf, type Context, type State } from '../context.ts';
import { PolicyChange, type Policy } from '../domain/policy.ts';
import { PolicyAnswer, presentPolicy } from './answers/policy.ts';
import type { Services } from '../services.ts';
import { scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { setEtag, showsEtag, takesIfMatch, versionOf } from '../http/etag.ts';
import { body } from '../http/input.ts';
import { ROUTER } from '../http/router.ts';

/** The tenant's rules for its keys. */
export function securityCenterRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  const show = (ctx: Context, policy: Policy) => {
    setEtag(ctx, versionOf(policy));
    ctx.body = presentPolicy(policy);
  };

  return new Router<State>(ROUTER)
    .get(
      '/security-center/settings',
      scope('admin:read'),
      showsEtag(),
      answers(200, PolicyAnswer, 'Shows the rules for the keys of the tenant.'),
      async (ctx) => {
        show(ctx, principalOf(ctx).tenant.policy);
      },
    )
    .post(
      '/security-center/settings',
      scope('admin:write'),
      showsEtag(),
      takesIfMatch(),
      answers(200, PolicyAnswer, 'Changes the rules for the keys of the tenant; they hold in every process at once.', [
        'insufficient_permission',
      ]),
      body(PolicyChange, async (ctx, change) => {
        show(ctx, await changePolicy(actionContext(ctx, db), change));
      }),
    );
}
