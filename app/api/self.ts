import Router from '@koa/router';
import { findApiKey } from '../../db/tables/keys/apiKeys.ts';
import { actionContext } from '../actions/actionContext.ts';
import { updateOwnKey } from '../actions/keys/updateKey.ts';
import { principalOf, type State } from '../context.ts';
import { SelfChange } from '../domain/keyInput.ts';
import { AppError } from '../errors.ts';
import { presentPerson, presentSelf, SelfAnswer } from './answers/principal.ts';
import type { Services } from '../services.ts';
import { scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { body } from '../http/input.ts';
import { ROUTER } from '../http/router.ts';
import { personOfKey } from './whoami.ts';

/** The routes on which a key reads and renames itself, without any right to manage keys. */
export function selfRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  return new Router<State>(ROUTER)
    .get(
      '/self',
      scope('self:read'),
      answers(200, SelfAnswer, 'Shows the credential itself: a key with its description.'),
      async (ctx) => {
        const principal = principalOf(ctx);
        if (principal.type === 'user') {
          ctx.body = presentPerson(principal);
          return;
        }
        const key = await findApiKey(db, principal.tenant.id, principal.id);
        if (!key) throw new AppError('not_found', 'no_such_key');
        ctx.body = presentSelf(principal, key, await personOfKey(db, principal));
      },
    )
    .patch(
      '/self',
      scope('self:write'),
      answers(200, SelfAnswer, 'Changes the name and description of the key that asks.', ['insufficient_permission']),
      body(SelfChange, async (ctx, change) => {
        const principal = principalOf(ctx);
        if (principal.type === 'user') {
          throw new AppError('insufficient_permission', 'only_a_key_changes_itself');
        }
        const key = await updateOwnKey(actionContext(ctx, db), principal.id, change);
        ctx.body = presentSelf(principal, key, await personOfKey(db, principal));
      }),
    );
}
