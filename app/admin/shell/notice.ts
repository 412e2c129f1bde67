import type { Context } from '../../context.ts';
import type { Cookies } from '../../http/cookies.ts';
import type { Texts, Values } from '../../locales/texts.ts';

/** What the next page says of what was just done: the key of a text and what it is filled with, never a secret. */
export interface Notice {
  text: string;
  values?: Values;
  kind?: 'done' | 'warning';
}

/** Keeps what there is to say for the page that the reader is led to. */
export function setNotice(ctx: Context, cookies: Cookies, notice: Notice): void {
  cookies.set(ctx, 'notice', Buffer.from(JSON.stringify(notice)).toString('base64url'), 60);
}

/** What there is to say on this page, in the reader's words; asked once, it is forgotten. */
export function readNotice(
  ctx: Context,
  cookies: Cookies,
  { t, has }: Texts,
): { text: string; kind: string } | undefined {
  const kept = cookies.get(ctx, 'notice');
  if (kept === undefined) return undefined;
  cookies.clear(ctx, 'notice');
  const notice = read(kept);
  // Only texts of ours are ever said, whoever wrote the cookie.
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
