import Router from '@koa/router';
import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { clientsSince } from '../../../db/tables/usage/apiKeyUsage.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { revokeOnlyKey } from '../../actions/keys/revokeKey.ts';
import type { Context, State } from '../../context.ts';
import { Revocation } from '../../domain/keyInput.ts';
import { keyStatus } from '../../domain/keyStatus.ts';
import { AppError } from '../../errors.ts';
import { emptyBuckets } from '../../domain/statsPeriod.ts';
import { usageStats } from '../../usage/usageStats.ts';
import { formOf } from '../../auth/csrf.ts';
import { findKeyOfPath, findTickedKeys, showDialog } from './keyPages.ts';
import { replacedAt } from './keyList.ts';
import { returnPath, keyListPath, keysPath } from './keyAddress.ts';
import { keyView } from './keyView.ts';
import { optionalField, readFields } from '../shell/formErrors.ts';
import type { Pages } from '../shell/pages.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';

const MOST_CLIENTS = 10;

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
      const locals = { back, keys: keys.map((key) => keyView(key, texts, now, { manages: true })) };
      await showDialog(pages, ctx, '_revokeSome', {
        title: texts.t('keys.revoke_some_title', { count: keys.length }),
        locals,
      });
    })
    .post('/api-keys/revoke', permission('api-keys:manage'), async (ctx) => {
      const form = formOf(ctx);
      let count = 0;
      for (const { id } of await findChosenKeys(ctx, form)) if (await revokeIfActive(ctx, id)) count++;
      const back = keyListPath(ctx, form.get('back')) ?? keysPath(ctx);
      pages.redirect(ctx, back, { text: 'keys.revoked_some', values: { count } });
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
      const isRevoked = keyStatus(key, Date.now()) === 'revoked';
      if (isRevoked || !(await revokeIfActive(ctx, key.id, revocation))) {
        showAsRevoked(ctx, key, back);
        return;
      }
      pages.redirect(ctx, back, { text: 'keys.revoked', values: { name: key.name } });
    });

  /** Loads the page anew from which somebody would revoke a key that was revoked since, so that the page shows it so. */
  function showAsRevoked(ctx: Context, { name }: ApiKey, back: string): void {
    pages.redirect(ctx, back, { text: 'keys.was_revoked', values: { name }, kind: 'warning' });
  }

  /** False if the key ended in the meantime. */
  async function revokeIfActive(ctx: Context, id: string, revocation: Revocation = {}): Promise<boolean> {
    try {
      await revokeOnlyKey(actionContext(ctx, db), id, revocation);
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === 'key_not_active') return false;
      throw error;
    }
  }

  async function revokeLocals(ctx: Context, key: ApiKey, now: number) {
    const rotating = keyStatus(key, now) === 'rotating';
    const since = rotating ? await replacedAt(db, key) : now - 86_400_000;
    return {
      key: keyView(key, pages.texts(ctx), now, { manages: true }),
      back: returnPath(ctx),
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
