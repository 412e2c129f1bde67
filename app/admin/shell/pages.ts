import type { Context } from '../../context.ts';
import type { Route } from '../../http/table.ts';
import type { Cookies } from '../../http/cookies.ts';
import { openFrame, shellFrame, type Section } from './frame.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { isPartial, redirect, shortAddress } from '../../http/redirect.ts';
import { setNotice, readNotice, type Notice } from './notice.ts';
import { readerOf } from '../../http/reader.ts';
import { textsIn, type Texts } from '../../locales/texts.ts';

type Locals = Readonly<Record<string, unknown>>;

/** A page without its view: the title, the place in the admin and the locals of the template. */
export interface Page {
  /** Already in the reader's language. */
  title: string;
  section?: Section;
  /** The view that answers htmx, which has no frame; without one htmx gets the whole page. */
  part?: string;
  /** Set where what htmx fetches is narrowed and paged by its address, which the window then shows too. */
  listed?: boolean;
  /** The locals of the template, made by a presenter; never a whole row or person. */
  locals?: Locals;
  /** Loads further locals from the database. */
  load?: () => Promise<Locals>;
  /** The page to return to after a change of language, if it is not this address. */
  here?: string;
}

/** How routes answer with pages; one for the process. */
export interface Pages {
  readonly cookies: Cookies;
  /** The texts in the reader's language. */
  texts(ctx: Context): Texts;
  /** Answers with a page of the admin in its frame, or with its part where htmx asks; `org` is where its organisation's pages begin. */
  show(ctx: Context, view: string, page: Page): Promise<void>;
  /** Answers with a page that is open to the world, without the navigation. */
  showOpen(ctx: Context, view: string, page: Pick<Page, 'title' | 'locals' | 'here'>): Promise<void>;
  /** Redirects to another page of the admin, which shows the notice. */
  redirect(ctx: Context, path: string, notice?: Notice): void;
}

/** Makes the pages' own helper; `routes` are the pages there are, known only once all are mounted; `keyPrefix` is the installation's. */
export function createPages(cookies: Cookies, routes: () => readonly Route[], keyPrefix: string): Pages {
  const reader = (ctx: Context) => (ctx.state.reader ??= readerOf(ctx, cookies));
  const texts = (ctx: Context) => textsIn(reader(ctx).locale);

  return {
    cookies,
    texts,
    async show(ctx, view, { title, section, part, listed, locals, load, here }) {
      const words = texts(ctx);
      const open = openFrame(ctx, reader(ctx), title);
      const frame = here === undefined ? open : { ...open, here };
      const org = organisationPath(ctx);
      if (isPartial(ctx) && part !== undefined) {
        const loaded = await load?.();
        const notice = readNotice(ctx, cookies, words);
        if (listed) ctx.set('HX-Push-Url', shortAddress(ctx));
        await ctx.render('shell/part.njk', { ...locals, ...loaded, ...words, org, frame, notice, part: `${part}.njk` });
        return;
      }
      const loaded = await load?.();
      const shell = shellFrame(ctx, frame, section, { pages: routes(), texts: words });
      const notice = readNotice(ctx, cookies, words);
      if (listed && isPartial(ctx)) ctx.set('HX-Push-Url', shortAddress(ctx));
      await ctx.render(fileOf(view), { ...locals, ...loaded, ...words, org, frame: shell, notice, keyPrefix });
    },
    async showOpen(ctx, view, { title, locals, here }) {
      const words = texts(ctx);
      const notice = readNotice(ctx, cookies, words);
      const frame = openFrame(ctx, reader(ctx), title);
      const shown = here === undefined ? frame : { ...frame, here };
      await ctx.render(fileOf(view), { ...locals, ...words, frame: shown, notice });
    },
    redirect(ctx, path, notice) {
      if (notice) setNotice(ctx, cookies, notice);
      redirect(ctx, path);
    },
  };
}

/** With its ending a view is found at once; without it koa-views looks for a folder first. */
function fileOf(view: string): string {
  return `${view}.njk`;
}
