import type { Bench } from './context.ts';
import { count, medianOf, ratiosOf, shown, table } from './figures.ts';
import { fullLoadTable, type Row } from './fullLoad.ts';
import { SHOW_KEY, type Shape } from './requests.ts';
import { roundTrips } from './roundTrips.ts';
import { inRounds } from './rounds.ts';
import { singleTable } from './singleConnection.ts';
import type { Store } from './stores.ts';
import {
  BARE,
  bareKoa,
  callerOf,
  latchkey,
  latchkeyName,
  MANY_CONNECTIONS,
  startLatchkey,
  type NamedLoad,
} from './subjects.ts';

const BATCH = 100;
const POST = 'verify';
const LOADS = {
  batch: `a batch of ${BATCH}`,
  forwardAuth: 'forward-auth, nginx',
  route: 'a route of its own',
  single: 'verify alone',
};

/** What it costs to ask about the keys of others: one by one, a hundred together, and as a proxy asks. */
export async function verifyPart(bench: Bench): Promise<unknown> {
  const { stores, plan, print } = bench;
  const most = (await bench.latchkey()).filter(({ keys }) => keys === plan.sizes.at(-1));
  stores.pinDatabase();
  const [first] = most;
  if (!first) throw new Error('there is no database to measure on');
  const hasForwardAuth = await allowForwardAuth(bench, most);
  const bare = bareKoa(
    stores,
    verifyLoads(bench, first, hasForwardAuth).filter(({ name }) => [POST, LOADS.single].includes(name)),
  );
  const ours = most.map((store) => latchkey(stores, store, verifyLoads(bench, store, hasForwardAuth)));
  const trips = await roundTrips(stores, most);
  const { samples, told } = await inRounds(bench, [bare, ...ours], {
    between: async () => trips.ask(plan.singleSeconds),
  });
  await trips.stop();
  print(told);
  const loads = [POST, LOADS.batch, ...(hasForwardAuth ? [LOADS.forwardAuth] : []), LOADS.route];
  const rows: Row[] = ours.flatMap(({ name }) =>
    loads.map((load) => ({ name: `${name}: ${load}`, subject: name, load })),
  );
  const bareRow = { name: `${BARE}: a POST of the same sizes`, subject: BARE, load: POST };
  print(fullLoadTable(samples, [bareRow, ...rows], { to: BARE, load: POST }));
  print(table([['', ''], ...ours.flatMap(({ name }) => comparisons(samples, name, hasForwardAuth))]));
  const single = most.map((store) => [latchkeyName(store), store.kind] as const);
  print(singleTable(samples, LOADS.single, { subject: BARE, load: LOADS.single }, single, trips));
  return { told, samples, roundTripMs: Object.fromEntries(trips.ms) };
}

function comparisons(
  samples: Awaited<ReturnType<typeof inRounds>>['samples'],
  name: string,
  forwardAuth: boolean,
): string[][] {
  const cost = (load: string) => samples.each(name, load, 'cpuMicros');
  const perKey = cost(LOADS.batch).map((micros) => micros / BATCH);
  const perSecond = (load: string) => samples.each(name, load, 'perSecond');
  const keysPerSecond = perSecond(LOADS.batch).map((batches) => batches * BATCH);
  return [
    [`${name}: keys a second in batches ÷ by single calls`, shown(ratiosOf(keysPerSecond, perSecond(POST)))],
    [`${name}: processor time by single calls ÷ in batches, for each key`, shown(ratiosOf(cost(POST), perKey))],
    [`${name}: keys a second in batches`, count(medianOf(keysPerSecond))],
    ...(forwardAuth
      ? [
          [
            `${name}: processor time of a route of its own ÷ forward-auth`,
            shown(ratiosOf(cost(LOADS.route), cost(LOADS.forwardAuth))),
          ],
        ]
      : []),
  ];
}

function verifyLoads({ plan }: Bench, store: Store, forwardAuth: boolean): NamedLoad[] {
  const headers = { 'X-API-Key': callerOf(store) };
  const question = JSON.stringify({
    key: '{key}',
    scopes: ['projects:read'],
    ip: '203.0.113.7',
    resource: '/projects/:id',
  });
  const verify: Shape = { method: 'POST', path: '/api/v1/keys/verify', headers, body: question };
  const load = (name: string, shape: Shape): NamedLoad => {
    return { name, shape, keysFile: store.keysFile, connections: MANY_CONNECTIONS, seconds: plan.seconds };
  };
  return [
    load(POST, verify),
    { ...load(LOADS.single, verify), connections: 1, seconds: plan.singleSeconds },
    load(LOADS.batch, { ...verify, path: '/api/v1/keys/verify-batch', batch: BATCH }),
    ...(forwardAuth ? [load(LOADS.forwardAuth, AS_NGINX_ASKS)] : []),
    load(LOADS.route, SHOW_KEY),
  ];
}

/** What `auth_request` sends for a request that showed a key. */
const AS_NGINX_ASKS: Shape = {
  method: 'GET',
  path: '/forward-auth/nginx',
  headers: {
    'X-Original-Method': 'GET',
    'X-Original-Host': 'shop.example',
    'X-Original-URI': '/projects/42?page=2',
    'X-Real-IP': '203.0.113.7',
    'X-API-Key': '{key}',
  },
};
const RULES = {
  rules: [
    { method: 'POST', path: '/projects', scope: 'projects:write' },
    { method: 'GET', path: '/projects/:id', scope: 'projects:read' },
  ],
};

/** Gives the stores the rules that forward-auth asks for; false where this build has no forward-auth. */
async function allowForwardAuth({ stores }: Bench, own: readonly Store[]): Promise<boolean> {
  for (const store of own) {
    const server = await startLatchkey(stores, store);
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/forward-auth/rules`, {
      method: 'PUT',
      headers: { 'x-api-key': callerOf(store), 'content-type': 'application/json' },
      body: JSON.stringify(RULES),
    });
    const text = await answer.text();
    await server.stop();
    if (answer.status === 404) return false;
    if (!answer.ok) throw new Error(`the rules of forward-auth were answered ${answer.status}: ${text}`);
  }
  return true;
}
