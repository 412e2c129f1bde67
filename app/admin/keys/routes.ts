import Router from '@koa/router';
import { principalOf, type State, type Tenant } from '../../context.ts';
import { requestOrigin, whoamiCurl } from '../shell/curl.ts';
import { mayManageKeys } from './keyPages.ts';
import {
  attentionItems,
  filterChoices,
  hasAnyKey,
  listHeads,
  listPaging,
  loadAttention,
  loadKeys,
  loadPeople,
  loadUses,
  pageBeyond,
  countOfCheckedKeys,
} from './keyList.ts';
import { keyListRows } from './keyListRow.ts';
import { keysPath, searchesForWholeKey, listAddress, listPath, readList, type ListAddress } from './keyAddress.ts';
import { ownersOfKeys, reachOf } from '../routes/keyReach.ts';
import { AppError } from '../../errors.ts';
import { isPartial, redirect } from '../../http/redirect.ts';
import type { Pages } from '../shell/pages.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';
import type { Route } from '../../http/table.ts';
import { keyChangePages } from './routesChange.ts';
import { keyCreatePages } from './routesCreate.ts';
import { keyDetailPages } from './routesDetail.ts';
import { keyPausePages } from './routesPause.ts';
import { keyRevokePages } from './routesRevoke.ts';

/** All pages of keys; paths with a fixed name come before those with a key's id. */
export function apiKeyPages(services: Services, pages: Pages, table: () => readonly Route[]): Router<State> {
  return new Router<State>(ROUTER)
    .use(keyListPages(services, pages, table).routes())
    .use(keyCreatePages(services, pages, table).routes())
    .use(keyRevokePages(services, pages).routes())
    .use(keyPausePages(services, pages).routes())
    .use(keyChangePages(services, pages, table).routes())
    .use(keyDetailPages(services, pages).routes());
}

/** The list of keys. */
function keyListPages(
  { db, usage, config, lookup }: Services,
  pages: Pages,
  table: () => readonly Route[],
): Router<State> {
  return new Router<State>(ROUTER).get('/api-keys', permission('api-keys:read'), async (ctx) => {
    const texts = pages.texts(ctx);
    const manages = mayManageKeys(ctx);
    const { id: reader, tenant } = principalOf(ctx);
    const now = Date.now();
    const address = listAddress(ctx.querystring, config.keys.prefix);
    const path = keysPath(ctx);
    if (searchesForWholeKey(ctx.querystring, config.keys.prefix)) {
      redirect(ctx, listPath(path, address));
      return;
    }
    const wanted = readList(address);
    const link = { keys: path, address };
    await usage.flush();
    const catalogue = await lookup.catalogue();
    await pages.show(ctx, 'keys/list', {
      title: texts.t('keys.title'),
      section: 'keys',
      part: 'keys/_list',
      listed: true,
      locals: {
        ...listHeads(link, wanted),
        filter: filterOf(address),
        keyPrefix: config.keys.prefix,
        cleared: listPath(path, address.sort === undefined ? {} : { sort: address.sort }),
        narrowed: Object.keys(address).some((name) => name !== 'sort' && name !== 'page'),
        manages,
        example: whoamiCurl(requestOrigin(ctx, config.publicUrl), 'YOUR_KEY'),
      },
      load: async () => {
        // The list is loaded first, since slower queries beside it would delay it.
        const request = { wanted, reach: await reachOfRoute(tenant, wanted.route), now };
        const page = await loadKeys(db, tenant, request);
        const [uses, { names, owners }, counts] = await Promise.all([
          loadUses(db, tenant.id, page, now),
          loadPeople(db, tenant.id, page, wanted, !isPartial(ctx)),
          // htmx fetches only the list, which is below the attention links.
          isPartial(ctx) ? undefined : loadAttention(db, tenant, now),
        ]);
        return {
          rows: keyListRows(page.keys, uses, texts, now, {
            path,
            manages,
            reader,
            policy: tenant.policy,
            catalogue,
            names,
          }),
          choices: filterChoices(texts, catalogue, owners, wanted),
          attention: counts && attentionItems(counts, link, wanted),
          paging: listPaging(page, link, wanted),
          beyond: page.keys.length === 0 ? await pageBeyond(db, tenant, request, link) : undefined,
          lookedInto: await countOfCheckedKeys(db, tenant.id, wanted, now),
          isEmpty: page.keys.length === 0 && !(await hasAnyKey(db, tenant.id, now)),
        };
      },
    });
  });
  /** Whose keys open a route, and by which scopes; a route that there is not is refused as any wrong query. */
  async function reachOfRoute(tenant: Tenant, named: string | undefined) {
    if (named === undefined) return undefined;
    const route = table().find(({ method, path }) => `${method} ${path}` === named);
    if (!route) throw new AppError('invalid_query', 'query_not_understood');
    return reachOf(route.access, tenant, await ownersOfKeys(db, tenant.id));
  }
}

/** The filters that stand behind one button where there is little room. */
const FOLDED = ['status', 'scope', 'environment', 'owner'] as const;

/** The values of the filter form, and of the hidden fields that it keeps; `folded` counts those behind the button. */
function filterOf(address: ListAddress) {
  const {
    q = '',
    status = '',
    scope = '',
    environment = '',
    owner = '',
    attention = '',
    route = '',
    sort = '',
  } = address;
  const folded = FOLDED.filter((name) => address[name] !== undefined).length;
  return { q, status, scope, environment, owner, attention, route, sort, folded };
}
