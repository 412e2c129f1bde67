import type { Context } from '../../context.ts';
import type { Cookies } from '../../http/cookies.ts';
import type { Texts, Values } from '../../locales/texts.ts';

/** A message about what was just done, for the next page: the key of a text and its values, never a secret. */
export interface Notice {
  text: string;
  values?: Values;
  kind?: 'done' | 'warning';
}

/** Keeps the notice in a cookie for the page that the reader is redirected to. */
export function setNotice(ctx: Context, cookies: Cookies, notice: Notice): void {
  cookies.set(ctx, 'notice', Buffer.from(JSON.stringify(notice)).toString('base64url'), 60);
}

/** Returns the notice for this page in the reader's language, and removes it. */
export function readNotice(
  ctx: Context,
  cookies: Cookies,
  { t, has }: Texts,
): { text: string; kind: string } | undefined {
  const kept = cookies.get(ctx, 'notice');
  if (kept === undefined) return undefined;
  cookies.clear(ctx, 'notice');
  const notice = read(kept);
  // Only texts of the catalogue are shown, since anybody could write the cookie.
  if (!notice || !has(notice.text)) return undefined;
  try {
    return { text: t(notice.text, notice.values), kind: notice.kind === 'warning' ? 'warning' : 'done' };
  } catch {
    return undefined;
  }
}

function read(kept: string): Notice | undefined {
  try {
    const value = JSON.parse(Buffer.from(kept, 'base64url').toString()) as Partial<Notice> | null;
    if (typeof value?.text !== 'string' || typeof (value.values ?? {}) !== 'object') return undefined;
    return value as Notice;
  } catch {
    return undefined;
  }
}
