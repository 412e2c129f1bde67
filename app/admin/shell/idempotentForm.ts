import { findApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { keyMadeByForm } from '../../../db/tables/sentForms.ts';
import type { Db } from '../../../db/connection/connect.ts';
import { actionContext, type ActionContext } from '../../actions/actionContext.ts';
import { principalOf, type Context } from '../../context.ts';
import { isId, newId } from '../../domain/id.ts';
import { AppError } from '../../errors.ts';
import { formOf } from '../../auth/csrf.ts';
import type { Section } from './frame.ts';
import { showDialog } from '../keys/keyPages.ts';
import { keyView } from '../keys/keyView.ts';
import type { Pages } from './pages.ts';

/** Where the answer to a form belongs. */
interface FormLocation {
  section: Section;
  /** The page that the reader goes to next. */
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
    const asked = formOf(ctx).get('once') ?? '';
    const formId = isId(asked) ? asked : newId();
    if (await showEarlierKey(ctx, formId)) return;
    try {
      await handle(ctx, { ...actionContext(ctx, db), formId });
    } catch (error) {
      // Of two at once one is refused, by the key of the table or because there is nothing left to do.
      if (!(await showEarlierKey(ctx, formId))) throw error;
    }
  };

  async function showEarlierKey(ctx: Context, formId: string): Promise<boolean> {
    const { id, tenant } = principalOf(ctx);
    const keyId = await keyMadeByForm(db, id, formId);
    if (keyId === undefined) return false;
    const key = await findApiKey(db, tenant.id, keyId);
    // The person has switched to another tenant since, where the form must issue no key either.
    if (!key) throw new AppError('not_found', 'no_such_key');
    await showAlreadyMade(ctx, key);
    return true;
  }

  async function showAlreadyMade(ctx: Context, key: ApiKey): Promise<void> {
    const texts = pages.texts(ctx);
    ctx.set('HX-Retarget', '#dialogs');
    ctx.set('HX-Reswap', 'innerHTML');
    await showDialog(pages, ctx, '_made', {
      title: texts.t('keys.made_title'),
      section: place.section,
      here: place.home,
      locals: { key: keyView(key, texts, Date.now(), { manages: true }), home: place.home },
    });
  }
}
