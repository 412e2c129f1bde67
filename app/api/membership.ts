import Router from '@koa/router';
import { actionContext } from '../actions/actionContext.ts';
import { leaveTenant } from '../actions/people/leaveTenant.ts';
import { principalOf, type State } from '../context.ts';
import { AppError } from '../errors.ts';
import { DeletedAnswer, presentDeleted } from './answers/record.ts';
import type { Services } from '../services.ts';
import { anyCredential } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { ROUTER } from '../http/router.ts';

/** The caller's own membership of the tenant, which they may end without anybody's permission. */
export function membershipRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  return new Router<State>(ROUTER).delete(
    '/membership',
    anyCredential(),
    answers(200, DeletedAnswer, 'Ends the caller’s own membership of the tenant; their account stays.', [
      'conflict',
      'insufficient_permission',
    ]),
    async (ctx) => {
      const { type, id } = principalOf(ctx);
      if (type !== 'user') throw new AppError('insufficient_permission', 'only_a_person_leaves');
      await leaveTenant(actionContext(ctx, db), id);
      ctx.body = presentDeleted(id);
    },
  );
}
