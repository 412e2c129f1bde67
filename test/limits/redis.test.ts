import { expect } from 'chai';
import { as, castOf, type Cast } from '../support/cast.ts';
import { onDatabase } from '../support/databases.ts';
import type { Answer } from '../support/http.ts';
import { issue, type Key } from '../support/keys.ts';
import { rateOf, statuses, tooMany } from '../support/limits.ts';
import { RedisServer } from '../support/redis.ts';
import { startServer, startServerUnmigrated, type TestServer } from '../support/server.ts';

const LOST = 'Redis does not answer';
const BACK = 'Redis answers again';
const DEADLINE_MS = 50;

// Where keys are kept makes no difference to where requests are counted.
onDatabase('sqlite', 'limits shared through Redis', (database) => {
  let redis: RedisServer;
  let one: TestServer;
  let other: TestServer;
  let cast: Cast;

  before(async function () {
    this.timeout(120_000);
    redis = await RedisServer.start();
    const limits = { REDIS_URL: redis.url, LOGIN_LIMIT: '2/600', ADDRESS_LIMIT: '5/600', TRUSTED_HOPS: '1' };
    one = await startServer(database.env(), limits);
    other = await startServerUnmigrated(database.env(), limits);
    cast = await castOf(one);
    await sharing();
  });
  after(async () => {
    await other.stop();
    await one.stop();
    await redis.remove();
  });

  let addresses = 0;
  const anyAddress = () => ({ 'X-Forwarded-For': `198.51.${++addresses >> 8}.${addresses & 255}` });
  const newKey = async (limit: number, windowSeconds = 600) =>
    issue(one, { ...as(cast.alice), ...anyAddress() }, { rateLimit: { limit, windowSeconds } });
  const use = async (server: TestServer, { key }: Pick<Key, 'key'>) =>
    server.get('/api/v1/whoami', { 'x-api-key': key });
  const lines = (text: string) => [one, other].map(({ log }) => log.filter((line) => line.includes(text)).length);

  /** Resolves once both count in Redis: what the one takes, the other misses. */
  async function sharing(): Promise<void> {
    for (;;) {
      const key = await newKey(1_000);
      const counts = [await use(one, key), await use(other, key), await use(one, key)].map(rateOf);
      if (counts.map(({ remaining }) => remaining).join() === '999,998,997') return;
    }
  }

  async function expectLocalCounts(): Promise<void> {
    const key = await newKey(2);
    expect(await statuses(3, async () => use(one, key))).to.deep.equal([200, 200, 429]);
    expect(await statuses(3, async () => use(other, key))).to.deep.equal([200, 200, 429]);
  }

  /** How long the one in the middle of forty requests takes, which tells what most of them wait for. */
  async function medianTime(key: Key): Promise<number> {
    const times: number[] = [];
    for (let n = 0; n < 40; n++) times.push(await timed(async () => use(n % 2 ? one : other, key)));
    return times.sort((a, b) => a - b)[20] ?? 0;
  }

  it('are one for all processes', async () => {
    const key = await newKey(6);
    for (const server of [one, other])
      expect(await statuses(3, async () => use(server, key))).to.deep.equal([200, 200, 200]);
    for (const server of [one, other]) tooMany(await use(server, key));
    const asked = [one, other].map(async (server) => use(server, await newKey(1)));
    for (const { status } of await Promise.all(asked)) expect(status).to.equal(200);
  });

  it('count requests at once exactly', async () => {
    const key = await newKey(10);
    const asked = Array.from({ length: 30 }, async (_, n) => use(n % 2 ? one : other, key));
    expect((await Promise.all(asked)).filter(({ status }) => status === 200)).to.have.length(10);
  });

  it('count a verified key at its cost, whole or not at all, and are looked at by a dry run', async () => {
    const key = await newKey(10);
    const caller = await issue(one, { ...as(cast.alice), ...anyAddress() }, { scopes: ['keys:verify'] });
    const verify = async (server: TestServer, cost: number, dryRun = false) => {
      const asked = { key: key.key, cost, dryRun };
      const { body, text } = await server.post('/api/v1/keys/verify', asked, { 'x-api-key': caller.key });
      const { code, rateLimit } = body as { code: string; rateLimit?: { remaining: number } };
      return [code, rateLimit?.remaining ?? text];
    };
    expect(await verify(one, 10, true)).to.deep.equal(['valid', 10]);
    expect(await verify(one, 4)).to.deep.equal(['valid', 6]);
    expect(await verify(other, 7)).to.deep.equal(['rate_limited', 6]);
    expect(await verify(other, 6, true)).to.deep.equal(['valid', 6]);
    expect((await use(other, key)).status).to.equal(200);
    expect(await verify(other, 5)).to.deep.equal(['valid', 0]);
    tooMany(await use(one, key));
  });

  it('are told as those of one process are', async () => {
    const key = await newKey(2, 60);
    const { headers } = await use(one, key);
    expect(headers).to.include({ 'ratelimit-policy': '"key";q=2;w=60', ratelimit: '"key";r=1;t=60' });
    await use(other, key);
    const refused = await use(one, key);
    expect(tooMany(refused)).to.be.within(55, 60);
    expect(rateOf(refused).remaining).to.equal(0);
  });

  it('hold for addresses and logins as well', async () => {
    const address = anyAddress();
    const anonymous = async (server: TestServer) => (await server.get('/api/v1/whoami', address)).status;
    const seen: number[] = [];
    for (let n = 0; n < 6; n++) seen.push(await anonymous(n % 2 ? one : other));
    expect(seen).to.deep.equal([401, 401, 401, 401, 401, 429]);

    const login = async (server: TestServer, password: string) =>
      (await server.post('/api/auth/login', { email: cast.bob.email, password }, anyAddress())).status;
    const tried = [await login(one, 'wrong'), await login(other, 'wrong'), await login(one, 'wrong')];
    expect(tried).to.deep.equal([401, 401, 429]);
  });

  it('hold at once when they are raised', async () => {
    const key = await newKey(1);
    expect(await statuses(2, async () => use(one, key))).to.deep.equal([200, 429]);
    const change = { rateLimit: { limit: 3, windowSeconds: 600 } };
    await one.patch(`/api/api-keys/${key.id}`, change, { ...as(cast.alice), ...anyAddress() });
    expect((await use(other, key)).status).to.equal(200);
  });

  it('become each process’s own when Redis stops, and shared again when it is back', async function () {
    this.timeout(60_000);
    const before = { lost: lines(LOST), back: lines(BACK) };
    const once = (counts: number[]) => counts.map((count) => count + 1);
    await redis.stop();
    await expectLocalCounts();
    await expectLocalCounts();
    expect(lines(LOST), 'one line each, not one a request').to.deep.equal(once(before.lost));
    await redis.startAgain();
    await sharing();
    expect(lines(LOST)).to.deep.equal(once(before.lost));
    expect(lines(BACK)).to.deep.equal(once(before.back));
  });

  it('hold up nobody when Redis hangs, and are shared again when it goes on', async function () {
    this.timeout(60_000);
    const before = { lost: lines(LOST), back: lines(BACK) };
    const once = (counts: number[]) => counts.map((count) => count + 1);
    const key = await newKey(1_000);
    const usual = await medianTime(key);
    redis.freeze();
    try {
      // One request a second and process waits for Redis, and no other.
      expect(await medianTime(key)).to.be.below(usual + DEADLINE_MS);
      await expectLocalCounts();
      expect(lines(LOST)).to.deep.equal(once(before.lost));
    } finally {
      redis.thaw();
    }
    await sharing();
    expect(lines(BACK)).to.deep.equal(once(before.back));
  });

  it('decide nothing about keys: without Redis a revoked one fails, a live one works', async function () {
    this.timeout(60_000);
    const [live, dead] = [await newKey(10), await newKey(10)];
    await redis.stop();
    try {
      await one.post(`/api/api-keys/${dead.id}/revoke`, {}, { ...as(cast.alice), ...anyAddress() });
      for (const server of [one, other]) {
        expect((await use(server, live)).status).to.equal(200);
        expect((await use(server, dead)).status).to.equal(401);
      }
    } finally {
      await redis.startAgain();
      await sharing();
    }
  });
});

onDatabase('sqlite', 'a Redis that refuses', (database) => {
  let redis: RedisServer;
  before(async function () {
    this.timeout(120_000);
    redis = await RedisServer.start();
  });
  after(async () => redis.remove());

  it('leaves limits to the process, and its password out of the log', async () => {
    const url = redis.url.replace('//', '//:a-canary-secret@');
    const server = await startServer(database.env(), { REDIS_URL: url.replace(/:\d+\//, ':1/'), KEY_LIMIT: '1/60' });
    try {
      const { alice } = await castOf(server);
      const key = await issue(server, as(alice));
      const answers: Answer[] = [];
      for (let n = 0; n < 2; n++) answers.push(await server.get('/api/v1/whoami', { 'x-api-key': key.key }));
      expect(answers.map(({ status }) => status)).to.deep.equal([200, 429]);
      expect(server.log.filter((line) => line.includes(LOST))).to.have.length(1);
      expect(server.log.join()).not.to.include('canary');
    } finally {
      await server.stop();
    }
  });
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
