import Router from '@koa/router';
import type { State } from '../../context.ts';
import { formOf } from '../../auth/csrf.ts';
import { anyCredential } from '../../http/access.ts';
import { ownPath } from '../../http/ownPath.ts';
import { ROUTER } from '../../http/router.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import type { Pages } from './pages.ts';

/** Where the focus goes unless the form names something of the page that it leads back to. */
const MAIN = 'main';

/** Leads back from what is shown once, with a notice that it will not be shown again. */
export function shownOncePages(pages: Pages): Router<State> {
  return new Router<State>(ROUTER).post('/shown-once', anyCredential(), async (ctx) => {
    const form = formOf(ctx);
    const back = ownPath(form.get('back')) ?? organisationPath(ctx);
    const [focus = MAIN] = /^[\w-]{1,60}$/.exec(form.get('focus') ?? '') ?? [];
    const text = form.get('about') === 'key' ? 'forms.key_done' : 'forms.secret_done';
    pages.redirect(ctx, `${back}#${focus}`, { text });
  });
}
