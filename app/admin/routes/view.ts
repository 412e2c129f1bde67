import { mayUse, type KeyReach } from '../../auth/requireAccess.ts';
import { scopesOf, type Access } from '../../http/access.ts';
import type { Locale } from '../../domain/locale.ts';
import type { Route } from '../../http/table.ts';
import { takesKeys } from './keyReach.ts';
import { summaryIn } from './summaries.ts';

/** The kinds of access that the page's filter offers. */
export const ROUTE_KINDS = ['scope', 'permission', 'anyone', 'public', 'basic', 'proxy'] as const;

const NAMED = '/api/';
const OWN = '/api/v1/';

/** The routes that match, each with the number of keys that open it; of two mounts of one route the public one is shown. */
export function presentRoutesPage(
  routes: readonly Route[],
  reaches: readonly { reach: KeyReach; keys: number }[],
  { q, kind }: { q: string; kind: string },
  locale: Locale,
) {
  const listed = routes.filter((route) => !isTwin(route, routes)).map((route) => rowOf(route, reaches, locale));
  const wanted = q.trim().toLowerCase();
  const matching = listed.filter(
    ({ method, path, scope, permission, access }) =>
      (kind === '' || access === kind) &&
      [`${method} ${path}`, scope, permission].some((text) => text.toLowerCase().includes(wanted)),
  );
  return { rows: matching, total: listed.length, q, kind, kinds: ROUTE_KINDS, narrowed: q !== '' || kind !== '' };
}

/** Whether it is the form of a route in which the caller names the tenant, beside the one in which the credential does. */
function isTwin({ method, path }: Route, routes: readonly Route[]): boolean {
  if (!path.startsWith(NAMED) || path.startsWith(OWN)) return false;
  const own = OWN + path.slice(NAMED.length);
  return routes.some((route) => route.method === method && route.path === own);
}

function rowOf(route: Route, reaches: readonly { reach: KeyReach; keys: number }[], locale: Locale) {
  const { method, path, access, answers } = route;
  const english = answers[0]?.summary ?? '';
  const summary = summaryIn(locale, english);
  return {
    method,
    path,
    access: access.kind,
    scope: scopesOf(access).join(', '),
    permission: access.kind === 'permission' ? access.permission : '',
    summary: summary ?? english,
    isEnglish: summary === undefined,
    /** Null where keys play no part. */
    keys: takesKeys(access) ? opening(access, reaches) : null,
    /** The query of the list of these keys. */
    query: new URLSearchParams({ route: `${method} ${path}` }).toString(),
  };
}

function opening(access: Access, reaches: readonly { reach: KeyReach; keys: number }[]): number {
  return reaches.filter(({ reach }) => mayUse(reach, access)).reduce((sum, { keys }) => sum + keys, 0);
}
