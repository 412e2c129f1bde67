import Router from '@koa/router';
import { pageOfApiKeys } from '../../../db/tables/keys/apiKeyList.ts';
import { principalOf, type Context, type Person, type State } from '../../context.ts';
import { searchText } from '../../domain/keySearch.ts';
import { cleanName } from '../../domain/text.ts';
import { anyCredential } from '../../http/access.ts';
import { ORGANISATION, organisationPath } from '../../http/organisationPath.ts';
import { isPartial, redirect } from '../../http/redirect.ts';
import { ROUTER } from '../../http/router.ts';
import type { Route } from '../../http/table.ts';
import type { Services } from '../../services.ts';
import { keysPath, listPath } from '../keys/keyAddress.ts';
import { keyView } from '../keys/keyView.ts';
import { opens, openSections } from '../shell/frame.ts';
import type { Pages } from '../shell/pages.ts';

const MOST_KEYS = 8;
const LONGEST_TEXT = 100;

/** What can be begun from everywhere: the key of its text, and the path of its page as its route states it. */
const ACTIONS = [
  ['keys.create', `${ORGANISATION}/api-keys/new`],
  ['members.invite', `${ORGANISATION}/members/new`],
  ['tickets.open', `${ORGANISATION}/tickets/new`],
  ['tenants.create', '/admin/tenants/new'],
] as const;

/** An entry of the palette; a key has its mask and status too. */
interface Entry {
  label: string;
  path: string;
  masked?: string;
  status?: string;
}

/** Finds pages, actions and keys for the command palette, of those that the reader may open. */
export function palettePages(
  { db, config }: Pick<Services, 'db' | 'config'>,
  pages: Pages,
  routes: () => readonly Route[],
): Router<State> {
  return new Router<State>(ROUTER).get('/palette', anyCredential(), async (ctx) => {
    const typed = cleanName(new URLSearchParams(ctx.querystring).get('q') ?? '').replace(/\p{Cc}/gu, '');
    const q = searchText(typed, config.keys.prefix)?.slice(0, LONGEST_TEXT) ?? '';
    if (!isPartial(ctx)) {
      redirect(ctx, listPath(keysPath(ctx), {}, { q: q || undefined }));
      return;
    }
    const { t } = pages.texts(ctx);
    const keys = await keysLike(ctx, q);
    const found = [
      { id: 'pages', entries: pagesOf(ctx).filter(({ label }) => isLike(label, q)) },
      { id: 'actions', entries: actionsOf(ctx).filter(({ label }) => isLike(label, q)) },
      { id: 'keys', entries: keys },
    ].filter(({ entries }) => entries.length > 0);
    const count = found.reduce((sum, { entries }) => sum + entries.length, 0);
    const groups = found.map(({ id, entries }) => ({ id, label: t(`palette.${id}`), entries }));
    await pages.show(ctx, 'shell/_palette', {
      title: t('palette.title'),
      part: 'shell/_palette',
      locals: { groups, count, q, allKeys: keys.length > 0 ? listPath(keysPath(ctx), {}, { q }) : undefined },
    });
  });

  function pagesOf(ctx: Context): Entry[] {
    const texts = pages.texts(ctx);
    return [
      ...openSections(personOf(ctx), { pages: routes(), texts }),
      { label: texts.t('membership.title'), path: organisationPath(ctx, '/membership') },
      { label: texts.t('shell.docs'), path: '/docs' },
    ];
  }

  function actionsOf(ctx: Context): Entry[] {
    const { t } = pages.texts(ctx);
    const open = ACTIONS.filter(([, path]) => opens(personOf(ctx), path, routes()));
    return open.map(([text, path]) => ({ label: t(text), path: path.replace(ORGANISATION, organisationPath(ctx)) }));
  }

  function opensKeys(ctx: Context): boolean {
    return opens(personOf(ctx), `${ORGANISATION}/api-keys`, routes());
  }

  /** The keys that the search of their list finds, the newest first. */
  async function keysLike(ctx: Context, q: string): Promise<Entry[]> {
    if (q === '' || !opensKeys(ctx)) return [];
    const now = Date.now();
    const { id } = principalOf(ctx).tenant;
    const order = { sort: 'createdAt', descending: true, revokedLast: true, offset: 0, limit: MOST_KEYS } as const;
    const { keys } = await pageOfApiKeys(db, id, { text: q, now }, order);
    return keys.map((key) => {
      const { name, masked, status } = keyView(key, pages.texts(ctx), now, { manages: false });
      return { label: name, path: `${keysPath(ctx)}/${key.id}`, masked, status };
    });
  }
}

/** Pages are for people alone. */
function personOf(ctx: Context): Person {
  const principal = principalOf(ctx);
  if (principal.type !== 'user') throw new Error('the palette was reached without a session');
  return principal;
}

/** Whether the label has every word of the text, whatever their case and accents. */
function isLike(label: string, text: string): boolean {
  const within = plain(label);
  return plain(text)
    .split(' ')
    .every((word) => within.includes(word));
}

function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').replaceAll('’', "'").toLowerCase();
}
