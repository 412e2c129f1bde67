import Router from '@koa/router';
import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { pauseOnlyKey, resumeOnlyKey } from '../../actions/keys/pauseKey.ts';
import { formOf } from '../../auth/csrf.ts';
import type { Context, Middleware, State } from '../../context.ts';
import { Pause } from '../../domain/keyInput.ts';
import { keyStatus, whyEnded } from '../../domain/keyStatus.ts';
import { emptyBuckets } from '../../domain/statsPeriod.ts';
import { usageStats } from '../../usage/usageStats.ts';
import { optionalField, readFields } from '../shell/formErrors.ts';
import type { Pages } from '../shell/pages.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';
import { keyListPath, keysPath, returnPath } from './keyAddress.ts';
import { findActiveKeyOfPath, findTickedKeys, relatedKeys, showDialog, unlessEnded } from './keyPages.ts';
import { keyView } from './keyView.ts';

/** What is done: a key is paused, or a paused one resumed. */
const CHANGES = { pause: pauseOnlyKey, resume: resumeOnlyKey };
type Change = keyof typeof CHANGES;

/** The dialogs that pause keys and resume them: one, or those that are ticked. */
export function keyPausePages(services: Pick<Services, 'db' | 'usage' | 'lookup'>, pages: Pages): Router<State> {
  const { db, usage } = services;
  const router = new Router<State>(ROUTER);
  for (const change of Object.keys(CHANGES) as Change[]) {
    router
      .get(`/api-keys/${change}`, permission('api-keys:manage'), askAboutTicked(change))
      .post(`/api-keys/${change}`, permission('api-keys:manage'), changeTicked(change))
      .get(`/api-keys/:id/${change}`, permission('api-keys:manage'), askAboutOne(change))
      .post(`/api-keys/:id/${change}`, permission('api-keys:manage'), changeOne(change));
  }
  return router;

  function askAboutOne(change: Change): Middleware {
    return async (ctx) => {
      const key = await findActiveKeyOfPath(ctx, services);
      const texts = pages.texts(ctx);
      const now = Date.now();
      await showDialog(pages, ctx, '_pause', {
        title: texts.t(`keys.${change}_title`),
        locals: {
          change,
          key: keyView(key, texts, now, { manages: true }),
          back: returnPath(ctx),
          older: change === 'pause' ? (await relatedKeys(db, key, now)).older : [],
          pause: key.pausedAt === null ? undefined : { at: key.pausedAt, reason: key.pauseReason },
          today: (await usageStats(db, key, await services.lookup.catalogue(), emptyBuckets('24h', now))).totals,
        },
      });
    };
  }

  function changeOne(change: Change): Middleware {
    return async (ctx) => {
      const form = formOf(ctx);
      const { id, name } = await findActiveKeyOfPath(ctx, services);
      const reason = readFields(Pause, { reason: optionalField(form, 'reason') });
      await CHANGES[change](actionContext(ctx, db), id, reason);
      pages.redirect(ctx, keyListPath(ctx, form.get('back')) ?? keysPath(ctx), {
        text: `keys.${change}d`,
        values: { name },
      });
    };
  }

  function askAboutTicked(change: Change): Middleware {
    return async (ctx) => {
      await usage.flush();
      const now = Date.now();
      const ticked = await findTickedKeys(ctx, db, new URLSearchParams(ctx.querystring));
      const keys = ticked.filter((key) => canBeChanged(change, key, now));
      const back = returnPath(ctx);
      if (keys.length === 0) {
        const text = ticked.length === 0 ? 'keys.none_chosen' : `keys.none_to_${change}`;
        pages.redirect(ctx, back, { text, kind: 'warning' });
        return;
      }
      const texts = pages.texts(ctx);
      await showDialog(pages, ctx, '_pauseSome', {
        title: texts.t(`keys.${change}_some_title`, { count: keys.length }),
        locals: {
          change,
          back,
          keys: keys.map((key) => keyView(key, texts, now, { manages: true })),
          others: ticked.length - keys.length,
        },
      });
    };
  }

  function changeTicked(change: Change): Middleware {
    return async (ctx) => {
      const form = formOf(ctx);
      let count = 0;
      for (const { id } of await findTickedKeys(ctx, db, form)) if (await changeIfActive(ctx, change, id)) count++;
      const back = keyListPath(ctx, form.get('back')) ?? keysPath(ctx);
      pages.redirect(ctx, back, { text: `keys.${change}d_some`, values: { count } });
    };
  }

  /** False if the key has ended in the meantime. */
  async function changeIfActive(ctx: Context, change: Change, id: string): Promise<boolean> {
    return (await unlessEnded(async () => CHANGES[change](actionContext(ctx, db), id, {}))) !== undefined;
  }
}

function canBeChanged(change: Change, key: ApiKey, now: number): boolean {
  if (whyEnded(key, now)) return false;
  return (keyStatus(key, now) === 'paused') === (change === 'resume');
}
