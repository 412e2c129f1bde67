import Router from '@koa/router';
import { actionContext } from '../actions/actionContext.ts';
import { changePolicy } from '../actions/tenants/changePolicy.ts';
import { principalOf, type State } from '../context.ts';
import { PolicyChange } from '../domain/policy.ts';
import { PolicyAnswer, presentPolicy } from './answers/policy.ts';
import type { Services } from '../services.ts';
import { scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { body } from '../http/input.ts';
import { ROUTER } from '../http/router.ts';

/** The tenant's rules for its keys. */
export function securityCenterRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  return new Router<State>(ROUTER)
    .get(
      '/security-center/settings',
      scope('admin:read'),
      answers(200, PolicyAnswer, 'Shows the rules for the keys of the tenant.'),
      async (ctx) => {
        ctx.body = presentPolicy(principalOf(ctx).tenant.policy);
      },
    )
    .post(
      '/security-center/settings',
      scope('admin:write'),
      answers(200, PolicyAnswer, 'Changes the rules for the keys of the tenant; they hold in every process at once.', [
        'insufficient_permission',
      ]),
      body(PolicyChange, async (ctx, change) => {
        ctx.body = presentPolicy(await changePolicy(actionContext(ctx, db), change));
      }),
    );
}
