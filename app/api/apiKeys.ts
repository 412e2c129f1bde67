import Router from '@koa/router';
import { z } from 'zod';
import { pageOfApiKeys } from '../../db/tables/keys/apiKeyList.ts';
import { findApiKey, type ApiKey } from '../../db/tables/keys/apiKeys.ts';
import { listKeyUsage } from '../../db/tables/usage/apiKeyUsage.ts';
import { actionContext } from '../actions/actionContext.ts';
import { issueKey } from '../actions/keys/issueKey.ts';
import { pauseKey, resumeKey } from '../actions/keys/pauseKey.ts';
import { revokeKey } from '../actions/keys/revokeKey.ts';
import { rotateKey } from '../actions/keys/rotateKey.ts';
import { versionOfKey } from '../actions/keys/storedKey.ts';
import { updateKey } from '../actions/keys/updateKey.ts';
import { principalOf, type Context, type State } from '../context.ts';
import { localeOfHeader } from '../domain/locale.ts';
import { KeyChange, NewKey, Pause, Revocation, Rotation } from '../domain/keyInput.ts';
import { AppError } from '../errors.ts';
import { responseTimesOfKey, usageStats } from '../usage/usageStats.ts';
import { answerMade } from './answerMade.ts';
import {
  IssuedKeyAnswer,
  KeyAnswer,
  KeyListAnswer,
  presentMadeKey,
  presentKey,
  presentRevoked,
  presentTotal,
  RevokedAnswer,
} from './answers/key.ts';
import { KeyUsageListAnswer, presentKeyUsage, presentUsageStats, UsageStatsAnswer } from './answers/keyUsage.ts';
import { presentScopes, ScopesAnswer } from './answers/scopes.ts';
import { importRoutes } from './importKeys.ts';
import { StatsQuery, statsSpan } from './statsQuery.ts';
import type { Services } from '../services.ts';
import { permission } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { setEtag, showsEtag, takesIfMatch } from '../http/etag.ts';
import { makes } from '../http/idempotency.ts';
import { body, query } from '../http/input.ts';
import { KeyQuery, keyListing } from '../inputs/keyQuery.ts';
import { pageOf, positionOf } from '../http/paging.ts';
import { pathId } from '../http/pathId.ts';
import { WholeNumber } from '../http/queryValues.ts';
import { ROUTER } from '../http/router.ts';

const UsageQuery = z.strictObject({
  limit: WholeNumber({ max: 500, fallback: 100 }),
  cursor: z.string().optional(),
});

const reading = () => permission('api-keys:read', 'api-keys:read');
const revoked = () => answers(200, RevokedAnswer, 'Revokes a key for good, and no other key of its rotations.');
const managing = () => permission('api-keys:manage', 'api-keys:write');

/** The whole life of a tenant's keys. */
export function apiKeyRoutes(
  services: Pick<Services, 'db' | 'config' | 'usage' | 'lookup' | 'keyTexts'>,
  routesByScope: () => ReadonlyMap<string, string[]>,
): Router<State> {
  const { db, config, usage, lookup } = services;
  const findKeyOfPath = async (ctx: Context): Promise<ApiKey> => {
    const id = pathId(ctx);
    await usage.flush();
    const key = await findApiKey(db, principalOf(ctx).tenant.id, id);
    if (!key) throw new AppError('not_found', 'no_such_key');
    return key;
  };

  const showKey = (ctx: Context, key: ApiKey, now = Date.now()) => {
    setEtag(ctx, versionOfKey(key));
    ctx.body = presentKey(key, now);
  };

  const revoke = body(Revocation, async (ctx, revocation) => {
    ctx.body = presentRevoked(await revokeKey(actionContext(ctx, db), pathId(ctx), revocation));
  });

  return importRoutes(new Router<State>(ROUTER), services)
    .post(
      '/api-keys',
      managing(),
      showsEtag(),
      makes(db),
      answers(201, IssuedKeyAnswer, 'Creates a key; its text is in this answer and nowhere else.', ['plan_limit']),
      body(NewKey, async (ctx, input) =>
        answerMade(
          ctx,
          db,
          async (act) => issueKey(act, config.keys, input),
          (issued, { now }) => ({
            path: `/api-keys/${issued.key.id}`,
            version: versionOfKey(issued.key),
            ...presentMadeKey(issued, now),
          }),
        ),
      ),
    )
    .get(
      '/api-keys',
      reading(),
      answers(200, KeyListAnswer, 'Lists the keys of the tenant; revoked ones only where they are asked for.'),
      query(KeyQuery, async (ctx, wanted) => {
        await usage.flush();
        const tenantId = principalOf(ctx).tenant.id;
        const now = Date.now();
        const { filter, page } = keyListing(wanted, config.keys.prefix, now);
        const { keys, ...total } = await pageOfApiKeys(db, tenantId, filter, page);
        const data = keys.map((key) => presentKey(key, now));
        ctx.body = { data, ...presentTotal(total), page: wanted.page, limit: wanted.limit };
      }),
    )
    .get(
      '/api-keys/scopes/available',
      reading(),
      answers(200, ScopesAnswer, 'Lists the scopes that keys can be granted, and what each one opens.'),
      async (ctx) => {
        const principal = principalOf(ctx);
        const operator = principal.type === 'user' && principal.operator;
        const locale = localeOfHeader(ctx.get('Accept-Language'));
        ctx.body = presentScopes(await lookup.catalogue(), routesByScope(), { operator, locale });
      },
    )
    .get('/api-keys/:id', reading(), showsEtag(), answers(200, KeyAnswer, 'Shows a key.'), async (ctx) => {
      showKey(ctx, await findKeyOfPath(ctx));
    })
    .patch(
      '/api-keys/:id',
      managing(),
      showsEtag(),
      takesIfMatch(),
      answers(200, KeyAnswer, 'Changes a key, from its next request on.', ['key_not_active']),
      body(KeyChange, async (ctx, change) => {
        const act = actionContext(ctx, db);
        const id = pathId(ctx);
        await usage.flush();
        showKey(ctx, await updateKey(act, id, change), act.now);
      }),
    )
    .post(
      '/api-keys/:id/rotate',
      managing(),
      makes(db),
      answers(200, IssuedKeyAnswer, 'Puts a new key in the place of this one, at once or with an overlap.', [
        'already_rotated',
        'key_not_active',
      ]),
      body(Rotation, async (ctx, rotation) =>
        answerMade(
          ctx,
          db,
          async (act) => rotateKey(act, config.keys, pathId(ctx), rotation),
          (issued, { now }) => presentMadeKey(issued, now),
        ),
      ),
    )
    .post(
      '/api-keys/:id/pause',
      managing(),
      showsEtag(),
      answers(200, KeyAnswer, 'Pauses a key: it is refused from this moment until it is resumed.', ['key_not_active']),
      body(Pause, async (ctx, pause) => {
        const act = actionContext(ctx, db);
        const id = pathId(ctx);
        await usage.flush();
        showKey(ctx, await pauseKey(act, id, pause), act.now);
      }),
    )
    .post(
      '/api-keys/:id/resume',
      managing(),
      showsEtag(),
      answers(200, KeyAnswer, 'Lets a paused key work again.', ['key_not_active']),
      body(Pause, async (ctx, pause) => {
        const act = actionContext(ctx, db);
        const id = pathId(ctx);
        await usage.flush();
        showKey(ctx, await resumeKey(act, id, pause), act.now);
      }),
    )
    .post('/api-keys/:id/revoke', managing(), takesIfMatch(), revoked(), revoke)
    .delete('/api-keys/:id', managing(), takesIfMatch(), revoked(), revoke)
    .get(
      '/api-keys/:id/usage',
      reading(),
      answers(200, KeyUsageListAnswer, 'Lists the requests made with a key, newest first.'),
      query(UsageQuery, async (ctx, { cursor, limit }) => {
        const { id, tenantId } = await findKeyOfPath(ctx);
        const binding = JSON.stringify(['usage', tenantId, id]);
        const after = positionOf(cursor, binding);
        const found = await listKeyUsage(db, tenantId, id, { after, limit: limit + 1 });
        const { rows, nextCursor } = pageOf(found, limit, binding);
        ctx.body = { data: rows.map(presentKeyUsage), nextCursor };
      }),
    )
    .get(
      '/api-keys/:id/usage/stats',
      reading(),
      answers(200, UsageStatsAnswer, 'Sums up what a key was used for.'),
      query(StatsQuery, async (ctx, asked) => {
        const now = Date.now();
        const { window, buckets } = statsSpan(asked, now);
        const key = await findKeyOfPath(ctx);
        const stats = await usageStats(db, key, await lookup.catalogue(), buckets);
        ctx.body = presentUsageStats(window, stats, await responseTimesOfKey(db, key, buckets, now));
      }),
    );
}
