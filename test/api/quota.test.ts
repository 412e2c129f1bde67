import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { newId } from '../../app/domain/id.ts';
import { AppError } from '../../app/errors.ts';
import { createQuotas } from '../../app/keys/quota.ts';
import { connect } from '../../db/connect.ts';
import { quotaUsed } from '../../db/tables/apiKeyQuotas.ts';
import { as, castOf, type Cast } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { issue, read, rotate, type Key } from '../support/keys.ts';
import { statuses, tooMany } from '../support/limits.ts';
import { startServer, startServerUnmigrated, type TestServer } from '../support/server.ts';

const month = () => new Date().toISOString().slice(0, 7);

onEachDatabase('the monthly quota of a key', (database) => {
  let server: TestServer;
  let second: TestServer;
  let cast: Cast;
  before(async () => {
    server = await startServer(database.env());
    second = await startServerUnmigrated(database.env());
    cast = await castOf(server);
  });
  after(async () => {
    await second.stop();
    await server.stop();
  });

  const newKey = async (wish: object) => issue(server, as(cast.alice), wish);
  const use = async ({ key }: Pick<Key, 'key'>, at = server) => at.get('/api/v1/whoami', { 'x-api-key': key });
  const used = async ({ id }: Pick<Key, 'id'>) => quotaUsed(server.services.db, id, month());
  const change = async ({ id }: Key, wish: object) => {
    expect((await server.patch(`/api/api-keys/${id}`, wish, as(cast.alice))).status).to.equal(200);
  };

  it('lets exactly one of 50 requests at once pass where it is 1', async () => {
    const key = await newKey({ monthlyQuota: 1 });
    const answers = await Promise.all(Array.from({ length: 50 }, async () => use(key)));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused).to.have.length(49);
    for (const answer of refused) tooMany(answer, 'quota_exceeded');
    expect(await used(key)).to.equal(1);
  });

  it('is exact over two processes', async () => {
    for (const [quota, requests] of [
      [1, 25],
      [33, 25],
    ] as const) {
      const key = await newKey({ monthlyQuota: quota });
      const asked = [server, second].flatMap((at) => Array.from({ length: requests }, async () => use(key, at)));
      const passed = (await Promise.all(asked)).filter(({ status }) => status === 200);
      expect(passed).to.have.length(quota);
      expect(await used(key)).to.equal(quota);
    }
  });

  it('is not refilled by rotating the key', async () => {
    const key = await newKey({ monthlyQuota: 2 });
    expect((await use(key)).status).to.equal(200);
    const successor = await rotate(server, as(cast.alice), key.id);
    expect((await use(successor)).status).to.equal(200);
    tooMany(await use(successor), 'quota_exceeded');
  });

  it('says in Retry-After when the month ends, in UTC', async () => {
    const key = await newKey({ monthlyQuota: 1 });
    await use(key);
    const seconds = tooMany(await use(key), 'quota_exceeded');
    const now = new Date();
    const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1);
    expect(seconds).to.be.closeTo((end - now.getTime()) / 1000, 2);
  });

  it('is not spent by what it refuses', async () => {
    const key = await newKey({ monthlyQuota: 2 });
    expect(await statuses(5, async () => use(key))).to.deep.equal([200, 200, 429, 429, 429]);
    expect(await used(key)).to.equal(2);
  });

  it('is not spent by what the burst limit refuses', async () => {
    const key = await newKey({ monthlyQuota: 100, rateLimit: { limit: 2, windowSeconds: 60 } });
    expect(await statuses(5, async () => use(key))).to.deep.equal([200, 200, 429, 429, 429]);
    expect(await used(key)).to.equal(2);
  });

  it('holds as soon as it is raised, lowered or lifted', async () => {
    const key = await newKey({ monthlyQuota: 1 });
    expect(await statuses(2, async () => use(key))).to.deep.equal([200, 429]);
    await change(key, { monthlyQuota: 3 });
    expect(await statuses(3, async () => use(key))).to.deep.equal([200, 200, 429]);
    await change(key, { monthlyQuota: 2 });
    expect((await use(key)).status).to.equal(429);
    await change(key, { monthlyQuota: null });
    expect((await use(key)).status).to.equal(200);
    expect(await used(key)).to.equal(3);
  });

  it('is paid for only by keys that have one', async () => {
    const { db } = server.services;
    const asked: string[] = [];
    const note = ({ sql }: { sql: string }) => asked.push(sql);
    const key = await newKey({});
    db.on('query', note);
    await statuses(3, async () => use(key));
    db.removeListener('query', note);
    expect(asked.filter((sql) => sql.includes('api_key_quotas'))).to.deep.equal([]);
    expect(await read(server, as(cast.alice), key.id)).to.include({ monthlyQuota: null });
  });

  it('answers 503 when it cannot be counted, and only for keys that have one', async () => {
    const { db } = server.services;
    const limited = await newKey({ monthlyQuota: 5 });
    const free = await newKey({});
    await db.schema.renameTable('api_key_quotas', 'away');
    try {
      const answer = await use(limited);
      expect([answer.status, answer.headers['retry-after']]).to.deep.equal([503, '1']);
      expect((await use(free)).status).to.equal(200);
    } finally {
      await db.schema.renameTable('away', 'api_key_quotas');
    }
    expect((await use(limited)).status).to.equal(200);
  });

  describe('as a count', () => {
    it('sends one statement for all that ask in a turn', async () => {
      const { db } = server.services;
      const keyId = newId();
      const quotas = createQuotas(db);
      await quotas.take(keyId, 1_000);
      const asked: string[] = [];
      const note = ({ sql }: { sql: string }) => asked.push(sql);
      db.on('query', note);
      await nextTurn();
      const answers = await Promise.all(Array.from({ length: 100 }, async () => quotas.take(keyId, 1_000)));
      db.removeListener('query', note);
      expect(answers).to.deep.equal(Array(100).fill(true));
      expect(asked.filter((sql) => sql.includes('api_key_quotas'))).to.have.length(1);
      expect(await quotaUsed(db, keyId, month())).to.equal(101);
    });

    it('takes as many of a turn as are left', async () => {
      const quotas = createQuotas(server.services.db);
      const keyId = newId();
      const answers = await Promise.all(Array.from({ length: 100 }, async () => quotas.take(keyId, 60)));
      expect(answers.filter(Boolean)).to.have.length(60);
      expect(answers.indexOf(false), 'the first to come').to.equal(60);
    });

    it('spends what a request costs or nothing, and lets a cheaper one by', async () => {
      const quotas = createQuotas(server.services.db);
      const keyId = newId();
      const costs = [7, 7, 3, 1, 0];
      const inTurn = await Promise.all(costs.map(async (cost) => quotas.take(keyId, 10, cost)));
      expect(inTurn).to.deep.equal([true, false, true, false, true]);
      expect(await quotas.take(keyId, 10, 11)).to.equal(false);
      expect(await quotaUsed(server.services.db, keyId, month())).to.equal(10);
    });

    it('begins anew with each month', async () => {
      let now = Date.parse('2026-01-31T23:59:59.999Z');
      const quotas = createQuotas(server.services.db, () => now);
      const keyId = newId();
      expect([await quotas.take(keyId, 1), await quotas.take(keyId, 1)]).to.deep.equal([true, false]);
      now += 1;
      expect([await quotas.take(keyId, 1), await quotas.take(keyId, 1)]).to.deep.equal([true, false]);
    });

    it('counts many keys at once', async () => {
      const quotas = createQuotas(server.services.db);
      const keyIds = Array.from({ length: 40 }, newId);
      const answers = await Promise.all([...keyIds, ...keyIds].map(async (keyId) => quotas.take(keyId, 1)));
      expect(answers.filter(Boolean)).to.have.length(40);
    });

    it('fails all who wait at once when the database is gone', async () => {
      const db = connect(server.services.config.database);
      await db.destroy();
      const quotas = createQuotas(db);
      const failures = await Promise.all(
        Array.from({ length: 40 }, async () => quotas.take(newId(), 1).catch((error: unknown) => error)),
      );
      for (const failure of failures) expect(failure).to.be.instanceOf(AppError).with.property('status', 503);
    });
  });
});
