import { expect } from 'chai';
import { systemContext } from '../../app/actions/actionContext.ts';
import { updateTenant } from '../../app/actions/tenants/updateTenant.ts';
import { addPlayer, addTenant, as } from '../support/cast.ts';
import { endChildren, startMain } from '../support/child.ts';
import { onDatabase, type DatabaseKind } from '../support/databases.ts';
import { whenAvailable, type Client, type Headers } from '../support/http.ts';
import { useServer } from '../support/useServer.ts';

/** The long form makes a thousand changes on MySQL; the short one enough to meet a cache of any kind. */
const CHANGES = process.env.TEST_LONG ? 1_000 : 60;
/** Keys that are asked about at any moment. */
const WATCHED = 24;

/** A key under fire: from `deadSince` on, no request that begins may be let through. */
interface Target {
  headers: Headers;
  deadSince: number;
  answers: number;
  late: string[];
}

const SETTINGS: { kind: DatabaseKind; processes: number }[] = [
  { kind: 'mysql', processes: 4 },
  { kind: 'sqlite', processes: 2 },
];

for (const { kind, processes } of SETTINGS) {
  onDatabase(kind, `a change of a key, seen by ${processes} processes`, (database) => {
    const { server, ...cast } = useServer(database);
    let clients: Client[];

    before(async function () {
      this.timeout(60_000);
      const env = { ...database.env(), KEY_LIMIT: 'off', ADDRESS_LIMIT: 'off', LOG_LEVEL: 'warn' };
      const others = await Promise.all(Array.from({ length: processes - 1 }, async () => startMain(env)));
      clients = [server, ...others.map(({ client }) => client)];
      await Promise.all(clients.map(untilReady));
    });
    after(endChildren);

    it('refuses every request that begins after the change was answered', async function () {
      this.timeout(300_000);
      const targets = new Set<Target>();
      const all: Target[] = [];
      let ended = false;
      const hammers = clients.flatMap((client) => [0, 1].map(async () => hammer(client, targets, () => ended)));
      let made = 0;
      await Promise.all(
        Array.from({ length: WATCHED / 2 }, async (_, lane) => {
          while (made < CHANGES) {
            made++;
            const target = await killed(CHANGERS[(made + lane) % CHANGERS.length] as Changer, targets);
            all.push(target);
          }
        }),
      );
      ended = true;
      await Promise.all(hammers);

      expect(all.flatMap(({ late }) => late)).to.deep.equal([]);
      expect(all.length).to.be.at.least(CHANGES);
      const asked = all.reduce((sum, { answers }) => sum + answers, 0);
      expect(asked, 'requests of keys that had just been changed').to.be.greaterThan(CHANGES * processes);
    });

    type Changer = (key: { id: string }) => Promise<void>;

    const onAny = () => clients[Math.floor(Math.random() * clients.length)] as Client;
    const change = async (method: string, path: string, json: unknown) => {
      const answer = await whenAvailable(async () => onAny().send(method, path, { json, headers: as(cast.alice) }));
      expect(answer.status, answer.text).to.equal(200);
    };

    const CHANGERS: Changer[] = [
      async ({ id }) => change('POST', `/api/api-keys/${id}/revoke`, {}),
      async ({ id }) => change('POST', `/api/api-keys/${id}/rotate`, {}),
      async ({ id }) => change('POST', `/api/api-keys/${id}/pause`, {}),
      async ({ id }) => change('PATCH', `/api/api-keys/${id}`, { scopes: ['orders:read'] }),
      async ({ id }) => change('PATCH', `/api/api-keys/${id}`, { allowedIps: ['192.0.2.1'] }),
    ];

    /** A fresh key is let in everywhere, then changed once while all processes are asked about it, and watched on. */
    async function killed(changer: Changer, targets: Set<Target>): Promise<Target> {
      const wanted = { name: 'target', scopes: ['read'] };
      const answer = await whenAvailable(async () => onAny().post('/api/api-keys', wanted, as(cast.alice)));
      expect(answer.status, answer.text).to.equal(201);
      const { id, key } = answer.body as { id: string; key: string };
      const target: Target = { headers: { 'x-api-key': key }, deadSince: Infinity, answers: 0, late: [] };
      for (const client of clients) {
        expect((await whenAvailable(async () => client.get(ASKED, target.headers))).status).to.equal(200);
      }
      targets.add(target);
      await changer({ id });
      target.deadSince = performance.now();
      while (target.answers < clients.length * 2)
        await Promise.all(clients.map(async (client) => fire(client, target)));
      targets.delete(target);
      return target;
    }

    it('shuts a suspended tenant out of every process at once, and lets it back in', async function () {
      this.timeout(60_000);
      const { services } = server;
      for (let round = 0; round < (process.env.TEST_LONG ? 50 : 6); round++) {
        const tenant = await addTenant(services, `Tenant ${round}`);
        const owner = await addPlayer(services, tenant, 'Olga', { role: 'OWNER' });
        const { key } = (await onAny().post('/api/api-keys', { name: 'k' }, as(owner))).body as { key: string };
        const headers = [{ 'x-api-key': key }, { Authorization: `Bearer ${owner.token}` }];
        const statuses = async () =>
          Promise.all(
            clients.flatMap((client) =>
              headers.map(async (one) => (await whenAvailable(async () => client.get(ASKED, one))).status),
            ),
          );
        const act = systemContext(services.db, '');
        expect(new Set(await statuses())).to.deep.equal(new Set([200]));
        await updateTenant(act, tenant.id, { status: 'suspended' });
        expect(new Set(await statuses())).to.deep.equal(new Set([403]));
        await updateTenant(act, tenant.id, { status: 'active' });
        expect(new Set(await statuses())).to.deep.equal(new Set([200]));
      }
    });
  });
}

/** Wants the scope `read`, so that a cut of scopes shows. */
const ASKED = '/api/v1/audit-logs?limit=1';

async function hammer(client: Client, targets: Set<Target>, ended: () => boolean): Promise<void> {
  while (!ended()) {
    const [target] = [...targets].sort(() => Math.random() - 0.5);
    await (target ? fire(client, target) : new Promise(setImmediate));
  }
}

async function fire(client: Client, target: Target): Promise<void> {
  const begun = performance.now();
  const { status } = await client.get(ASKED, target.headers);
  if (begun < target.deadSince || status === 503) return;
  target.answers++;
  if (status !== 401 && status !== 403) target.late.push(`${status}, ${begun - target.deadSince} ms after the change`);
}

async function untilReady(client: Client): Promise<void> {
  for (;;) {
    const status = await client.get('/api/health').then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
