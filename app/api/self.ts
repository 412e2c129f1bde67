import Router from '@koa/router';
import { findApiKey, type ApiKey } from '../../db/tables/keys/apiKeys.ts';
import { actionContext } from '../actions/actionContext.ts';
import { revokeOwnKey } from '../actions/keys/revokeKey.ts';
import { updateOwnKey } from '../actions/keys/updateKey.ts';
import { versionOfKey } from '../actions/keys/storedKey.ts';
import { changeUser, versionOfAccount } from '../actions/people/changeUser.ts';
import { principalOf, type Context, type KeyHolder, type Person, type State } from '../context.ts';
import { Revocation, SelfChange } from '../domain/keyInput.ts';
import { AppError, invalidField } from '../errors.ts';
import { presentRevoked, RevokedAnswer } from './answers/key.ts';
import { presentPerson, presentSelf, SelfAnswer } from './answers/principal.ts';
import type { Services } from '../services.ts';
import { anyCredential, scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { setEtag, showsEtag, takesIfMatch } from '../http/etag.ts';
import { body } from '../http/input.ts';
import { ROUTER } from '../http/router.ts';
import { personOfKey } from './whoami.ts';

/** The routes on which callers read and rename themselves and on which keys end themselves, without any right to manage keys or members. */
export function selfRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  /** A person has a name, and no description that could be changed. */
  async function renameSelf(ctx: Context, person: Person, { name, description }: SelfChange): Promise<Person> {
    if (description !== undefined) throw invalidField('description', 'only_a_key_has_a_description');
    await changeUser(actionContext(ctx, db), person.id, { name });
    return { ...person, name: name ?? person.name };
  }

  const showPerson = (ctx: Context, person: Person) => {
    setEtag(ctx, versionOfAccount({ name: person.name, status: 'active' }));
    ctx.body = presentPerson(person);
  };
  const showKey = async (ctx: Context, holder: KeyHolder, key: ApiKey) => {
    setEtag(ctx, versionOfKey(key));
    ctx.body = presentSelf(holder, key, await personOfKey(db, holder));
  };

  return new Router<State>(ROUTER)
    .get(
      '/self',
      scope('self:read'),
      showsEtag(),
      answers(200, SelfAnswer, 'Shows the credential itself: a key with its description.'),
      async (ctx) => {
        const principal = principalOf(ctx);
        if (principal.type === 'user') {
          showPerson(ctx, principal);
          return;
        }
        const key = await findApiKey(db, principal.tenant.id, principal.id);
        if (!key) throw new AppError('not_found', 'no_such_key');
        await showKey(ctx, principal, key);
      },
    )
    .patch(
      '/self',
      scope('self:write'),
      showsEtag(),
      takesIfMatch(),
      answers(200, SelfAnswer, 'Changes the name and description of the key that asks, or the name of the person.'),
      body(SelfChange, async (ctx, change) => {
        const principal = principalOf(ctx);
        if (principal.type === 'user') {
          showPerson(ctx, await renameSelf(ctx, principal, change));
          return;
        }
        await showKey(ctx, principal, await updateOwnKey(actionContext(ctx, db), principal.id, change));
      }),
    )
    .post(
      '/self/revoke',
      anyCredential(),
      answers(
        200,
        RevokedAnswer,
        'Revokes the key that asks, for good, and no other key of its rotations; it takes no scope.',
        ['insufficient_permission'],
      ),
      body(Revocation, async (ctx, revocation) => {
        const principal = principalOf(ctx);
        if (principal.type === 'user') throw new AppError('insufficient_permission', 'only_a_key_ends_itself');
        ctx.body = presentRevoked(await revokeOwnKey(actionContext(ctx, db), principal.id, revocation));
      }),
    );
}
