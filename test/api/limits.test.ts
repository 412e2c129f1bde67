import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { mintKey } from '../../app/domain/token.ts';
import { as, bearer, castOf, PASSWORD, type Cast } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { issue, refusal, type Key } from '../support/keys.ts';
import { rateOf, statuses, tooMany } from '../support/limits.ts';
import { startServer, type TestServer } from '../support/server.ts';

const WHOAMI = '/api/v1/whoami';

onEachDatabase('the limit of a key', (database) => {
  let server: TestServer;
  let cast: Cast;
  before(async () => {
    server = await startServer(database.env(), { KEY_LIMIT: '4/60' });
    cast = await castOf(server);
  });
  after(async () => server.stop());

  const newKey = async (wish: object = {}) => issue(server, as(cast.alice), wish);
  const use = async ({ key }: Pick<Key, 'key'>) => server.get(WHOAMI, { 'x-api-key': key });
  const change = async ({ id }: Key, wish: object) => {
    expect((await server.patch(`/api/api-keys/${id}`, wish, as(cast.alice))).status).to.equal(200);
  };

  it('is told with every answer, in the draft standard and in the older headers', async () => {
    const key = await newKey();
    const answer = await use(key);
    expect(answer.headers).to.include({
      'ratelimit-policy': '"key";q=4;w=60',
      ratelimit: '"key";r=3;t=60',
      'x-ratelimit-limit': '4',
      'x-ratelimit-remaining': '3',
    });
    expect(answer.headers).not.to.have.property('retry-after');
    expect(rateOf(answer).reset).to.be.closeTo(Date.now() / 1000 + 60, 1.5);
    expect(rateOf(await use(key)).remaining).to.equal(2);
  });

  it('refuses with 429 when it is spent, and says when to come back', async () => {
    const key = await newKey();
    expect(await statuses(4, async () => use(key))).to.deep.equal([200, 200, 200, 200]);
    const refused = await use(key);
    expect(tooMany(refused)).to.be.within(55, 60);
    expect(rateOf(refused)).to.include({ policy: '"key";q=4;w=60', remaining: 0 });
    expect(refused.headers['cache-control']).to.equal('no-store');
  });

  it('is counted apart for each key and tenant', async () => {
    const spent = await newKey();
    await statuses(5, async () => use(spent));
    expect((await use(await newKey())).status).to.equal(200);
    expect((await use(await issue(server, as(cast.charlie)))).status).to.equal(200);
  });

  it('lets as many of many at once pass as it says', async () => {
    const key = await newKey({ rateLimit: { limit: 10, windowSeconds: 60 } });
    const answers = await Promise.all(Array.from({ length: 30 }, async () => use(key)));
    const passed = answers.filter(({ status }) => status === 200).map((answer) => rateOf(answer).remaining);
    expect(passed.sort((a, b) => b - a)).to.deep.equal([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  it('is counted over both mounts and all ways to send the key together', async () => {
    const { key } = await newKey();
    const ways: [string, Headers][] = [
      [WHOAMI, { 'x-api-key': key }],
      [WHOAMI, { Authorization: `ApiKey ${key}` }],
      [WHOAMI, { Authorization: `Bearer ${key}` }],
      ['/api/whoami', { 'x-api-key': key, 'x-tenant-id': cast.acme.slug }],
    ];
    for (const [path, headers] of ways) expect((await server.get(path, headers)).status).to.equal(200);
    tooMany(await server.get(WHOAMI, { 'x-api-key': key }));
  });

  it('is the key’s own, else the tenant’s, else the configured one', async () => {
    const own = await newKey({ rateLimit: { limit: 7, windowSeconds: 30 } });
    const plain = await newKey();
    const { db } = server.services;
    const ofTenant = async (policy: string | null) => db('tenants').where({ id: cast.acme.id }).update({ policy });
    await ofTenant(JSON.stringify({ defaultRateLimit: { limit: 9, windowSeconds: 20 } }));
    expect(rateOf(await use(own)).policy).to.equal('"key";q=7;w=30');
    expect(rateOf(await use(plain)).policy).to.equal('"key";q=9;w=20');
    await ofTenant(null);
    expect(rateOf(await use(plain)).policy).to.equal('"key";q=4;w=60');
  });

  it('holds as soon as it is raised, and as soon as it is lowered', async () => {
    const key = await newKey({ rateLimit: { limit: 1, windowSeconds: 3600 } });
    expect(await statuses(2, async () => use(key))).to.deep.equal([200, 429]);
    await change(key, { rateLimit: { limit: 20, windowSeconds: 3600 } });
    expect(await statuses(3, async () => use(key))).to.deep.equal([200, 200, 200]);
    await change(key, { rateLimit: { limit: 2, windowSeconds: 3600 } });
    expect(await statuses(3, async () => use(key))).to.deep.equal([200, 200, 429]);
  });

  it('opens again when its window ends, as Retry-After said', async () => {
    const key = await newKey({ rateLimit: { limit: 1, windowSeconds: 1 } });
    const started = performance.now();
    expect((await use(key)).status).to.equal(200);
    expect(tooMany(await use(key))).to.equal(1);
    let answer: Answer;
    do {
      await delay(20);
      answer = await use(key);
    } while (answer.status === 429);
    expect(answer.status).to.equal(200);
    expect(performance.now() - started).to.be.within(990, 4_000);
  });

  it('counts what the key may not do, so that nobody asks without end', async () => {
    const key = await newKey({ scopes: ['projects:read'] });
    const ask = async () =>
      server.post('/api/api-keys', { name: 'x' }, { 'x-api-key': key.key, 'x-tenant-id': 'acme' });
    expect(await statuses(5, ask)).to.deep.equal([403, 403, 403, 403, 429]);
    tooMany(await use(key));
  });

  it('does not touch people', async () => {
    const asked = await Promise.all(Array.from({ length: 8 }, async () => server.get(WHOAMI, bearer(cast.bob))));
    expect(asked.map(({ status }) => status)).to.deep.equal(Array(8).fill(200));
    for (const answer of asked) expect(rateOf(answer).policy).to.match(/^"address";/);
  });
});

onEachDatabase('the limit of an address', (database) => {
  let server: TestServer;
  let cast: Cast;
  let good: Key;
  let last = 0;
  before(async () => {
    server = await startServer(database.env(), { ADDRESS_LIMIT: '3/60', TRUSTED_HOPS: '1' });
    cast = await castOf(server);
    good = await issue(server, { ...as(cast.alice), ...from(anyAddress()) });
  });
  after(async () => server.stop());

  const anyAddress = () => `198.51.100.${++last}`;
  const from = (address: string): Headers => ({ 'X-Forwarded-For': address });
  const ask = async (address: string, headers: Headers = {}) => server.get(WHOAMI, { ...from(address), ...headers });
  const spend = async (address: string) => {
    expect(await statuses(4, async () => ask(address))).to.deep.equal([401, 401, 401, 429]);
  };

  it('counts requests without a credential, and tells so', async () => {
    const address = anyAddress();
    const first = await ask(address);
    refusal(first, 401, 'missing_credential');
    expect(first.headers).to.include({ 'ratelimit-policy': '"address";q=3;w=60', ratelimit: '"address";r=2;t=60' });
    await statuses(2, async () => ask(address));
    expect(tooMany(await ask(address))).to.be.within(55, 60);
    expect((await ask(anyAddress())).status).to.equal(401);
  });

  it('counts people', async () => {
    const address = anyAddress();
    expect(await statuses(4, async () => ask(address, bearer(cast.bob)))).to.deep.equal([200, 200, 200, 429]);
  });

  for (const [what, key] of [
    ['texts that are no key', () => 'fsk_live_guess'],
    ['unknown keys', () => mintKey({ prefix: 'fsk', format: 'base62' }, 'live').key],
    ['forged tokens', undefined],
  ] as const) {
    it(`counts ${what}, with 429 in place of 401`, async () => {
      const address = anyAddress();
      const headers: Headers = key ? { 'x-api-key': key() } : { Authorization: 'Bearer a.b.c' };
      expect(await statuses(4, async () => ask(address, headers))).to.deep.equal([401, 401, 401, 429]);
      tooMany(await ask(address, headers));
    });
  }

  it('counts revoked keys', async () => {
    const { id, key } = await issue(server, { ...as(cast.alice), ...from(anyAddress()) });
    await server.post(`/api/api-keys/${id}/revoke`, {}, { ...as(cast.alice), ...from(anyAddress()) });
    const address = anyAddress();
    expect(await statuses(4, async () => ask(address, { 'x-api-key': key }))).to.deep.equal([401, 401, 401, 429]);
  });

  it('never refuses a valid key for what others do at its address', async () => {
    const address = anyAddress();
    await spend(address);
    const answer = await ask(address, { 'x-api-key': good.key });
    expect(answer.status).to.equal(200);
    expect(rateOf(answer).policy).to.match(/^"key";/);
    const wrong = await server.get('/api/v1/audit-logs?limit=abc', { ...from(address), 'x-api-key': good.key });
    refusal(wrong, 400, 'invalid_query');
  });

  it('is not spent by valid keys', async () => {
    const address = anyAddress();
    const used = await statuses(6, async () => ask(address, { 'x-api-key': good.key }));
    expect(used).to.deep.equal(Array(6).fill(200));
    expect(rateOf(await ask(address)).remaining).to.equal(2);
  });

  it('takes a network of IPv6 for one caller, as whoever has one has all of it', async () => {
    const asked = [1, 2, 3, 4].map(async (n) => ask(`2001:db8:0:1::${n}`));
    expect((await Promise.all(asked)).map(({ status }) => status).sort()).to.deep.equal([401, 401, 401, 429]);
    expect((await ask('2001:db8:0:2::1')).status).to.equal(401);
  });

  it('holds for logins too', async () => {
    const address = anyAddress();
    const login = async () =>
      server.post('/api/auth/login', { email: cast.bob.email, password: PASSWORD }, from(address));
    expect(await statuses(4, login)).to.deep.equal([200, 200, 200, 429]);
  });

  it('never holds for health checks', async () => {
    const address = anyAddress();
    await spend(address);
    for (const path of ['/api/health', '/api/health/live']) {
      const answer = await server.get(path, from(address));
      expect(answer.status).to.equal(200);
      expect(answer.headers).not.to.have.property('ratelimit');
    }
  });
});

onEachDatabase('limits that are off', (database) => {
  let server: TestServer;
  let cast: Cast;
  before(async () => {
    server = await startServer(database.env(), { KEY_LIMIT: 'off', ADDRESS_LIMIT: 'off' });
    cast = await castOf(server);
  });
  after(async () => server.stop());

  it('are neither counted nor told', async () => {
    const { key } = await issue(server, as(cast.alice));
    const answers = [
      await server.get(WHOAMI, { 'x-api-key': key }),
      await server.get(WHOAMI),
      await server.get(WHOAMI),
    ];
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 401, 401]);
    for (const { headers } of answers) expect(headers).not.to.have.any.keys('ratelimit', 'x-ratelimit-limit');
  });

  it('still hold for a key with a limit of its own', async () => {
    const { key } = await issue(server, as(cast.alice), { rateLimit: { limit: 1, windowSeconds: 60 } });
    const use = async () => server.get(WHOAMI, { 'x-api-key': key });
    expect(await statuses(2, use)).to.deep.equal([200, 429]);
  });
});
