import { ownBuild } from './builds.ts';
import type { Bench } from './context.ts';
import { explained } from './explain.ts';
import { count, medianOf, table } from './figures.ts';
import { ownerToken } from './owner.ts';
import type { Order } from './seed.ts';
import { BUSY_KEY } from './seedHistory.ts';
import { idOf } from './seedRows.ts';
import type { Kind, Store } from './stores.ts';
import { keysPage } from './keysPage.ts';
import { startLatchkey } from './subjects.ts';

const SMALL = 1_000;
const TIMES = 9;
const DAY_MS = 86_400_000;

interface Page {
  name: string;
  path: string | ((keys: number) => string);
  /** Behind the first page, by its cursor. */
  second?: true;
}

const KEYS = '/api/v1/api-keys';
const AUDIT = '/api/v1/audit-logs';
const YESTERDAY = new Date(Date.now() - DAY_MS).toISOString();
const PAGES: Page[] = [
  { name: 'keys', path: KEYS },
  { name: 'keys, page 40', path: `${KEYS}?page=40` },
  { name: 'keys, half-way', path: (keys) => `${KEYS}?page=${Math.round((keys * 0.5) / 20)}` },
  { name: 'keys, last page', path: (keys) => `${KEYS}?page=${Math.round((keys * 0.95) / 20)}` },
  { name: 'keys with revoked ones', path: `${KEYS}?includeRevoked=true` },
  { name: 'keys by name', path: `${KEYS}?sort=name` },
  { name: 'keys by last use', path: `${KEYS}?sort=-lastUsedAt` },
  { name: 'keys by expiry', path: `${KEYS}?sort=expiresAt` },
  { name: 'keys, revoked', path: `${KEYS}?status=revoked` },
  { name: 'keys, expired', path: `${KEYS}?status=expired` },
  { name: 'keys, active', path: `${KEYS}?status=active` },
  { name: 'keys, rotating', path: `${KEYS}?status=rotating` },
  { name: 'keys with a scope', path: `${KEYS}?scope=projects:write` },
  { name: 'keys with a scope none has', path: `${KEYS}?scope=invoices:write` },
  { name: 'keys of test', path: `${KEYS}?environment=test` },
  { name: 'search, a third of all', path: `${KEYS}?q=billing` },
  { name: 'search, one key', path: `${KEYS}?q=0000fe` },
  { name: 'search, by prefix', path: `${KEYS}?q=fsk_live_00` },
  { name: 'search, by last four', path: `${KEYS}?q=00fe` },
  { name: 'search, half-way', path: (keys) => `${KEYS}?q=key&page=${Math.round((keys * 0.5) / 20)}` },
  { name: 'search, no key', path: `${KEYS}?q=nothing+like+it` },
  { name: 'search, two letters no key has', path: `${KEYS}?q=zz` },
  { name: 'audit', path: AUDIT },
  { name: 'audit, second page', path: AUDIT, second: true },
  { name: 'audit, one action', path: `${AUDIT}?action=API_KEY_CREATED` },
  { name: 'audit, one key', path: `${AUDIT}?entityId=${idOf('key', 14)}` },
  { name: 'audit, one person', path: `${AUDIT}?actorId=${idOf('user', 0)}` },
  { name: 'audit, one day', path: `${AUDIT}?from=${YESTERDAY}` },
  { name: 'usage of a busy key', path: `${KEYS}/${BUSY_KEY}/usage` },
  { name: 'usage, second page', path: `${KEYS}/${BUSY_KEY}/usage`, second: true },
  { name: 'usage statistics', path: `${KEYS}/${BUSY_KEY}/usage/stats?window=30d` },
];

/** The lists of a large tenant beside those of a small one, and the index through which each question is answered. */
export async function adminPart({ stores, plan, print }: Bench, kind: Kind): Promise<unknown> {
  const large = await stores.store(kind, plan.tenantKeys, 'large_tenant');
  const small = await stores.store(kind, SMALL, 'small_tenant');
  await Promise.all([large, small].map(async (store) => stores.migrate(store, ownBuild())));
  await stores.fill([[orderOf(large, plan.history)], [orderOf(small, SMALL)]]);
  stores.pinDatabase();
  const servers = { large: await startLatchkey(stores, large), small: await startLatchkey(stores, small) };
  const head = ['', 'small ms', 'large ms', 'large ÷ small', 'answered through'];
  const rows: string[][] = [];
  const results: Record<string, unknown> = {};
  for (const page of PAGES) {
    const paths = {
      large: await pathOf(page, plan.tenantKeys, servers.large.port),
      small: await pathOf(page, SMALL, servers.small.port),
    };
    const ms: Record<keyof typeof servers, number[]> = { large: [], small: [] };
    for (let time = 0; time < TIMES; time++) {
      for (const size of ['small', 'large'] as const) ms[size].push(await timed(servers[size].port, paths[size]));
    }
    const through =
      kind === 'MariaDB'
        ? await explained(stores, 'large_tenant', async () => timed(servers.large.port, paths.large))
        : ['(asked of MariaDB only)'];
    const [smallMs, largeMs] = [medianOf(ms.small), medianOf(ms.large)];
    const late = ms.large.filter((took) => took === Infinity).length;
    results[page.name] = { smallMs, largeMs, ratio: largeMs / smallMs, late, through };
    const [first = '', ...more] = late > 0 ? [`(${late} of ${TIMES} were answered 503)`, ...through] : through;
    rows.push([page.name, smallMs.toFixed(1), largeMs.toFixed(1), (largeMs / smallMs).toFixed(1), first]);
    rows.push(...more.map((line) => ['', '', '', '', line]));
  }
  const shown = await keysPage(stores, servers.large, kind);
  for (const server of Object.values(servers)) await server.stop();
  print(
    `${kind}: a tenant with ${count(plan.tenantKeys)} keys and ${count(plan.history)} rows each of audit and usage, beside one with ${count(SMALL)} of each, and as many keys of others; medians of ${TIMES}`,
  );
  print(table([head, ...rows]));
  print(shown.text);
  return { ...results, keysPage: shown };
}

function orderOf({ env, place, keys }: Store, history: number): Order {
  return { what: 'latchkey', env, place, count: 2 * keys, largeTenant: true, history };
}

/** The path with the cursor that the first page gave, where it is the second that is wanted. */
async function pathOf({ path: asked, second }: Page, keys: number, port: number): Promise<string> {
  const path = typeof asked === 'string' ? asked : asked(keys);
  if (!second) return path;
  const { nextCursor } = (await (await ask(port, path)).json()) as { nextCursor: string };
  return `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(nextCursor)}`;
}

/** How long a page took; one that the database was too slow for took for ever. */
async function timed(port: number, path: string): Promise<number> {
  const began = performance.now();
  const answer = await ask(port, path);
  await answer.arrayBuffer();
  if (answer.status === 503) return Infinity;
  if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status}`);
  return performance.now() - began;
}

async function ask(port: number, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${ownerToken()}` } });
}
