import Router from '@koa/router';
import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { clientsSince } from '../../../db/tables/usage/apiKeyUsage.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { revokeOnlyKey } from '../../actions/keys/revokeKey.ts';
import type { Context, State } from '../../context.ts';
import { Revocation } from '../../domain/keyInput.ts';
import { keyStatus } from '../../domain/keyStatus.ts';
import { maskKey } from '../../domain/token.ts';
import { emptyBuckets } from '../../domain/statsPeriod.ts';
import { usageStats } from '../../usage/usageStats.ts';
import { formOf } from '../../auth/csrf.ts';
import { findKeyOfPath, findTickedKeys, relatedKeys, showDialog, unlessEnded, type RelatedKey } from './keyPages.ts';
import { replacedAt } from './keyList.ts';
import { returnPath, keyListPath, keysPath } from './keyAddress.ts';
import { keyView } from './keyView.ts';
import { optionalField, readFields } from '../shell/formErrors.ts';
import type { Notice } from '../shell/notice.ts';
import type { Pages } from '../shell/pages.ts';
import type { Texts } from '../../locales/texts.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';

const MOST_CLIENTS = 10;
/** So many keys are named in the message after a revoke. */
const MOST_NAMED = 3;

/** The dialogs that end keys: one, several, or the replaced one of a rotation before its time. */
export function keyRevokePages(services: Pick<Services, 'db' | 'usage' | 'lookup'>, pages: Pages): Router<State> {
  const { db, usage } = services;
  return new Router<State>(ROUTER)
    .get('/api-keys/revoke', permission('api-keys:manage'), async (ctx) => {
      await usage.flush();
      const keys = await findChosenKeys(ctx, new URLSearchParams(ctx.querystring));
      const back = returnPath(ctx);
      if (keys.length === 0) {
        const isStale = new URLSearchParams(ctx.querystring).has('id');
        pages.redirect(ctx, back, { text: isStale ? 'keys.all_revoked' : 'keys.none_chosen', kind: 'warning' });
        return;
      }
      const texts = pages.texts(ctx);
      const now = Date.now();
      const locals = {
        back,
        keys: keys.map((key) => keyView(key, texts, now, { manages: true })),
        older: await olderThan(keys, now),
      };
      await showDialog(pages, ctx, '_revokeSome', {
        title: texts.t('keys.revoke_some_title', { count: keys.length }),
        locals,
      });
    })
    .post('/api-keys/revoke', permission('api-keys:manage'), async (ctx) => {
      const form = formOf(ctx);
      const chosen = await findChosenKeys(ctx, form);
      const older = await revokeTicked(ctx, await olderThan(chosen, Date.now()));
      let count = older.revoked;
      for (const { id } of chosen) if (await revokeIfActive(ctx, id)) count++;
      const back = keyListPath(ctx, form.get('back')) ?? keysPath(ctx);
      const values = { count, older: older.left.length, keys: named(older.left, pages.texts(ctx)) };
      const left: Notice = { text: 'keys.revoked_some_older_left', values, kind: 'warning' };
      pages.redirect(ctx, back, older.left.length > 0 ? left : { text: 'keys.revoked_some', values: { count } });
    })
    .get('/api-keys/:id/revoke', permission('api-keys:manage'), async (ctx) => {
      const key = await findKeyOfPath(ctx, services);
      const now = Date.now();
      if (keyStatus(key, now) === 'revoked') {
        showAsRevoked(ctx, key, returnPath(ctx));
        return;
      }
      const { t } = pages.texts(ctx);
      const title = t(keyStatus(key, now) === 'rotating' ? 'keys.end_title' : 'keys.revoke_title');
      await showDialog(pages, ctx, '_revoke', { title, locals: await revokeLocals(ctx, key, now) });
    })
    .post('/api-keys/:id/revoke', permission('api-keys:manage'), async (ctx) => {
      const form = formOf(ctx);
      const key = await findKeyOfPath(ctx, services);
      const back = keyListPath(ctx, form.get('back')) ?? keysPath(ctx);
      const revocation = readFields(Revocation, { reason: optionalField(form, 'reason') });
      const now = Date.now();
      const status = keyStatus(key, now);
      const { older, newer } = await relatedKeys(db, key, now);
      const isDone = status !== 'revoked' && (await revokeIfActive(ctx, key.id, revocation));
      const { revoked, left } = await revokeTicked(ctx, older, revocation);
      if (!isDone && revoked === 0) {
        showAsRevoked(ctx, key, back);
        return;
      }
      pages.redirect(ctx, back, revokedNotice(key, { newer, revoked, left }, pages.texts(ctx)));
    });

  /** The older keys that a rotation left working beside some, without those among them. */
  async function olderThan(keys: readonly ApiKey[], now: number): Promise<RelatedKey[]> {
    const found = new Map<string, RelatedKey>();
    for (const key of keys) for (const one of (await relatedKeys(db, key, now)).older) found.set(one.id, one);
    return [...found.values()].filter(({ id }) => !keys.some((key) => key.id === id));
  }

  /** Revokes those of the older keys that were ticked in the form; says how many, and which are left. */
  async function revokeTicked(ctx: Context, older: readonly RelatedKey[], revocation: Revocation = {}) {
    const ticked = new Set(formOf(ctx).getAll('also'));
    let revoked = 0;
    for (const { id } of older) if (ticked.has(id) && (await revokeIfActive(ctx, id, revocation))) revoked++;
    return { revoked, left: older.filter(({ id }) => !ticked.has(id)) };
  }

  /** Loads the page anew from which somebody would revoke a key that was revoked since, so that the page shows it so. */
  function showAsRevoked(ctx: Context, { name }: ApiKey, back: string): void {
    pages.redirect(ctx, back, { text: 'keys.was_revoked', values: { name }, kind: 'warning' });
  }

  /** False if the key ended in the meantime. */
  async function revokeIfActive(ctx: Context, id: string, revocation: Revocation = {}): Promise<boolean> {
    return (await unlessEnded(async () => revokeOnlyKey(actionContext(ctx, db), id, revocation))) !== undefined;
  }

  async function revokeLocals(ctx: Context, key: ApiKey, now: number) {
    const rotating = keyStatus(key, now) === 'rotating';
    const since = rotating ? await replacedAt(db, key) : now - 86_400_000;
    return {
      key: keyView(key, pages.texts(ctx), now, { manages: true }),
      back: returnPath(ctx),
      ...(await relatedKeys(db, key, now)),
      rotating,
      graceEndsAt: key.graceEndsAt,
      today: (await usageStats(db, key, await services.lookup.catalogue(), emptyBuckets('24h', now))).totals,
      clients: await clientsSince(db, key.tenantId, key.id, since, MOST_CLIENTS),
    };
  }

  /** The ticked keys that are not revoked, at most one page of them. */
  async function findChosenKeys(ctx: Context, fields: URLSearchParams): Promise<ApiKey[]> {
    const now = Date.now();
    return (await findTickedKeys(ctx, db, fields)).filter((key) => keyStatus(key, now) !== 'revoked');
  }
}

/** What was revoked, and which keys of the same rotations still work. */
function revokedNotice(
  { name, keyPrefix, lastFour }: ApiKey,
  { newer, revoked, left }: { newer: readonly RelatedKey[]; revoked: number; left: readonly RelatedKey[] },
  texts: Texts,
): Notice {
  if (left.length > 0) {
    const values = { name, count: left.length, keys: named(left, texts) };
    return { text: 'keys.revoked_older_left', values, kind: 'warning' };
  }
  if (revoked > 0) return { text: 'keys.revoked_older_too', values: { name, count: revoked } };
  if (newer.length > 0) return { text: 'keys.ended_old', values: { name, key: maskKey(keyPrefix, lastFour) } };
  return { text: 'keys.revoked', values: { name } };
}

function named(keys: readonly RelatedKey[], { joined }: Texts): string {
  const masked = keys.slice(0, MOST_NAMED).map((key) => key.masked);
  return joined(keys.length > MOST_NAMED ? [...masked, '…'] : masked);
}
