import { findApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import type { Db } from '../../../db/connection/connect.ts';
import { actionContext, type ActionContext } from '../../actions/actionContext.ts';
import type { IssuedKey } from '../../actions/keys/storedKey.ts';
import { principalOf, type Context } from '../../context.ts';
import { isId } from '../../domain/id.ts';
import { AppError } from '../../errors.ts';
import { formOf } from '../../auth/csrf.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { idempotentFormRequest, runOnce } from '../../http/idempotency.ts';
import type { Section } from './frame.ts';
import { showDialog } from '../keys/keyPages.ts';
import { keyView } from '../keys/keyView.ts';
import type { Pages } from './pages.ts';

/** Where the answer to a form belongs. */
interface FormLocation {
  section: Section;
  /** The page of the organisation that the reader goes to next, such as `/api-keys`. */
  home: string;
}

/**
 * Makes a form that issues a key idempotent: a form sent twice, even to two processes, issues one key, and the second
 * answer points to it. A form without an id counts as a new one.
 */
export function idempotentForm(
  db: Db,
  pages: Pages,
  place: FormLocation,
  handle: (ctx: Context, act: ActionContext) => Promise<void>,
): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    const formId = formOf(ctx).get('once') ?? '';
    const act = actionContext(ctx, db);
    if (!isId(formId)) return handle(ctx, act);
    const request = idempotentFormRequest(ctx, formId);
    const answerTo = async (made: unknown) => ({ keyId: (made as IssuedKey).key.id });
    await runOnce(db, request, {
      run: async () => handle(ctx, { ...act, once: { request, answerTo, isKept: false } }),
      replay: async (answer) => showEarlierKey(ctx, (answer as { keyId: string }).keyId),
      // The reader sees the answer to the last form that was sent, which tells of the key that the first one makes.
      waits: true,
    });
  };

  async function showEarlierKey(ctx: Context, keyId: string): Promise<void> {
    const key = await findApiKey(db, principalOf(ctx).tenant.id, keyId);
    if (!key) throw new AppError('not_found', 'no_such_key');
    await showAlreadyMade(ctx, key);
  }

  async function showAlreadyMade(ctx: Context, key: ApiKey): Promise<void> {
    const texts = pages.texts(ctx);
    const home = organisationPath(ctx, place.home);
    ctx.set('HX-Retarget', '#dialogs');
    ctx.set('HX-Reswap', 'innerHTML');
    await showDialog(pages, ctx, '_made', {
      title: texts.t('keys.made_title'),
      section: place.section,
      here: home,
      locals: { key: keyView(key, texts, Date.now(), { manages: true }), home },
    });
  }
}
