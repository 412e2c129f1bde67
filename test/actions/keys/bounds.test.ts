import { expect } from 'chai';
import { changePolicy, DEFAULT_POLICY } from '../../../app/domain/policy.ts';
import { changeTenant } from '../../../db/tables/tenants.ts';
import { as } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import type { Answer, Headers } from '../../support/http.ts';
import { detailOf, issue, keyOf, read, refusal, type Key } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';

const DAY_MS = 86_400_000;
const at = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

/** What the maker is bounded by. */
const BOUNDS = {
  expiresAt: at(30),
  allowedIps: ['127.0.0.0/8', '::1', '2001:db8::/32'],
  rateLimit: { limit: 100_000, windowSeconds: 60 },
  monthlyQuota: 100_000,
};
const WITHIN = [
  {},
  { expiresAt: at(1) },
  { allowedIps: ['127.0.0.1', '2001:db8:1::/48'] },
  { allowedIps: ['::ffff:127.0.0.1'] },
  { rateLimit: { limit: 1, windowSeconds: 60 } },
  { rateLimit: { limit: 1_000, windowSeconds: 1 } },
  { monthlyQuota: 1 },
];
const BEYOND = [
  { expiresAt: null },
  { expiresAt: at(31) },
  { allowedIps: null },
  { allowedIps: [] },
  { allowedIps: ['127.0.0.1', '10.0.0.0/8'] },
  { allowedIps: ['126.0.0.0/7'] },
  { allowedIps: ['::/0'] },
  { rateLimit: null },
  { rateLimit: { limit: 100_001, windowSeconds: 60 } },
  { rateLimit: { limit: 10_000, windowSeconds: 1 } },
  { rateLimit: { limit: 200_000, windowSeconds: 120 } },
  { monthlyQuota: null },
  { monthlyQuota: 100_001 },
];

onEachDatabase('a key that manages keys', (database) => {
  const { server, acme, alice } = useServer(database);
  let owner: Headers;
  let maker: Key;

  before(async () => {
    owner = as(alice);
    const policy = changePolicy(DEFAULT_POLICY, { keysMayManageKeys: true });
    await changeTenant(server.services.db, acme.id, { policy }, Date.now());
    maker = await issue(server, owner, { scopes: ['*'], ...BOUNDS });
  });

  it('makes keys that are bounded as it is itself', async () => {
    for (const wish of WITHIN) keyOf(await create(maker, { ...BOUNDS, ...wish }), 201);
    for (const wish of BEYOND) beyond(wish, await create(maker, { ...BOUNDS, ...wish }));
    const inDays = (expiresInDays: number) => ({ ...BOUNDS, expiresAt: undefined, expiresInDays });
    const long = await create(maker, inDays(31));
    expect(refusal(long, 403, 'insufficient_permission')).to.deep.equal(['expiresInDays']);
    keyOf(await create(maker, inDays(29)), 201);
  });

  it('names every field that goes too far', async () => {
    const answer = await create(maker, {});
    expect(refusal(answer, 403, 'insufficient_permission')).to.deep.equal(Object.keys(BOUNDS));
    expect(detailOf(answer)).to.equal(
      'An API key gives no more than it has: expiresAt, allowedIps, rateLimit, monthlyQuota.',
    );
  });

  it('gives a key that it changes no more than it has, and itself neither', async () => {
    const other = await issue(server, owner, { scopes: ['read'], ...BOUNDS });
    for (const { id } of [other, maker]) {
      for (const wish of BEYOND) {
        beyond(wish, await server.patch(`/api/v1/api-keys/${id}`, wish, by(maker)));
      }
      expect(await read(server, owner, id)).to.deep.include(BOUNDS);
    }
    for (const wish of WITHIN) keyOf(await server.patch(`/api/v1/api-keys/${other.id}`, wish, by(maker)), 200);
    keyOf(await server.patch(`/api/v1/api-keys/${maker.id}`, { name: 'maker' }, by(maker)), 200);
  });

  it('neither changes nor rotates a key that is bounded less, though it narrows it', async () => {
    for (const wish of BEYOND.filter(({ allowedIps }) => allowedIps?.length !== 0)) {
      const other = await issue(server, owner, { scopes: ['read'], ...BOUNDS, ...wish });
      beyond(wish, await server.post(`/api/v1/api-keys/${other.id}/rotate`, {}, by(maker)));
      beyond(wish, await server.patch(`/api/v1/api-keys/${other.id}`, { name: 'mine', ...BOUNDS }, by(maker)));
      expect(await read(server, owner, other.id)).to.include({ name: 'a key', successorKeyId: null });
    }
  });

  it('rotates itself into a key that ends no later', async () => {
    const self = await issue(server, owner, { scopes: ['api-keys:write'], ...BOUNDS });
    const rotate = async (wish: object) => server.post(`/api/v1/api-keys/${self.id}/rotate`, wish, by(self));
    for (const expiresAt of [null, at(31)]) beyond({ expiresAt }, await rotate({ expiresAt }));
    const next = keyOf(await rotate({ gracePeriodSeconds: 3600 }), 200);
    expect(next).to.deep.include(BOUNDS);
    // What is being replaced gives nothing that outlives it.
    const late = await create(self, { ...BOUNDS, scopes: ['api-keys:write'], expiresAt: at(1) });
    expect(refusal(late, 403, 'insufficient_permission')).to.deep.equal(['expiresAt']);
  });

  it('without bounds of its own sets any', async () => {
    const free = await issue(server, owner, { scopes: ['*'] });
    for (const wish of [{}, BOUNDS, ...BEYOND]) keyOf(await create(free, wish), 201);
  });

  it('gets past a limit that it has from its tenant by no key either', async () => {
    const free = await issue(server, owner, { scopes: ['*'] });
    const defaultRateLimit = { limit: 50_000, windowSeconds: 60 };
    const policy = changePolicy(DEFAULT_POLICY, { keysMayManageKeys: true, defaultRateLimit });
    await changeTenant(server.services.db, acme.id, { policy }, Date.now());
    keyOf(await create(free, {}), 201);
    keyOf(await create(free, { rateLimit: defaultRateLimit }), 201);
    beyond({ rateLimit: 1 }, await create(free, { rateLimit: { limit: 50_001, windowSeconds: 60 } }));
  });

  it('installs an app whose token is bounded as it is itself', async () => {
    const installed = await server.post('/api/v1/marketplace/install', { app: 'cli' }, by(maker));
    expect(keyOf(installed, 201)).to.deep.include(BOUNDS);
  });

  async function create(key: Key, wish: object): Promise<Answer> {
    return server.post('/api/v1/api-keys', { name: 'made', scopes: ['projects:read'], ...wish }, by(key));
  }

  function beyond(wish: object, answer: Answer): void {
    const [field = ''] = Object.keys(wish);
    expect(refusal(answer, 403, 'insufficient_permission'), JSON.stringify(wish)).to.deep.equal([field]);
    expect(detailOf(answer)).to.equal(`An API key gives no more than it has: ${field}.`);
  }

  function by(key: Key): Headers {
    return { 'x-api-key': key.key };
  }
});
