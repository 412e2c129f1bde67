import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { principalOf, type Context } from '../../context.ts';
import { requestOrigin, whoamiCurl } from '../shell/curl.ts';
import { firstUse } from './keyUse.ts';
import { showDialog } from './keyPages.ts';
import { keyView } from './keyView.ts';
import { keysPath } from './keyAddress.ts';
import type { Pages } from '../shell/pages.ts';

/** A new key with its text, which is shown once. */
interface RevealedKey {
  key: ApiKey;
  text: string;
  /** The replaced key, if it still works in its grace period. */
  replaced?: ApiKey;
  now: number;
  publicUrl: string;
  /** The page that the dialog was opened from. */
  back?: string;
}

/** Shows the text of a new key, only in the answer to the request that made it. */
export async function revealKey(pages: Pages, ctx: Context, shown: RevealedKey): Promise<void> {
  const { key, text, replaced, now, publicUrl } = shown;
  // The page of a replaced key does not show the new one; the list does.
  const back = shown.back?.startsWith(`${keysPath(ctx)}?`) ? shown.back : keysPath(ctx);
  const texts = pages.texts(ctx);
  // htmx sent a form, but the answer is a dialog over the whole page.
  ctx.set('HX-Retarget', '#dialogs');
  ctx.set('HX-Reswap', 'innerHTML');
  const { t } = texts;
  const title = t(replaced ? 'keys.rotated_title' : 'keys.created_title');
  await showDialog(pages, ctx, '_reveal', {
    title,
    here: keysPath(ctx),
    locals: {
      once: {
        title,
        warning: t('keys.shown_once_text'),
        name: key.name,
        life: t('keys.keep_never'),
        until: key.expiresAt,
        about: 'key',
        label: t('keys.key_text'),
        value: text,
        commandLabel: t('keys.try_it'),
        command: whoamiCurl(requestOrigin(ctx, publicUrl), text),
        copied: t('keys.copied'),
        back,
        focus: `key-${key.id}`,
      },
      old: replaced && { ...keyView(replaced, texts, now, { manages: true }), graceEndsAt: replaced.graceEndsAt },
      firstUse: mayReadKeys(ctx) && firstUse(keysPath(ctx), key, undefined, now),
    },
  });
}

/** Whether the reader may see the usage of keys. */
function mayReadKeys(ctx: Context): boolean {
  const principal = principalOf(ctx);
  return principal.type === 'user' && principal.permissions.has('api-keys:read');
}
