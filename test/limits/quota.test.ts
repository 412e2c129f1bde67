import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { newId } from '../../app/domain/id.ts';
import { readPolicy } from '../../app/domain/policy.ts';
import { AppError } from '../../app/errors.ts';
import type { CountedKey } from '../../app/limits/keyCounters.ts';
import { createQuotas } from '../../app/limits/quota.ts';
import { connect } from '../../db/connection/connect.ts';
import { quotaUsed } from '../../db/tables/keys/apiKeyQuotas.ts';
import { as, PASSWORD } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { issue, read, rotate, type Key } from '../support/keys.ts';
import { statuses, tooMany } from '../support/limits.ts';
import { acmePage } from '../support/organisationPages.ts';
import { startServerUnmigrated } from '../support/server.ts';
import { useServer, useServerWithoutCast } from '../support/useServer.ts';
import { Visitor } from '../support/visitor.ts';

const unrotated = (id: string): CountedKey => ({
  ...{ id, limitedBy: id },
  tenant: { id: newId(), slug: 'acme', policy: readPolicy(null) },
});
const month = () => new Date().toISOString().slice(0, 7);
const nextMonth = () => Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() + 1);

onEachDatabase('the monthly quota of a key', (database) => {
  const { server, ...cast } = useServer(database);
  const second = useServerWithoutCast(database);

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

  it('is not refilled by rotating the key, and is shared with its successors while its grace lasts', async () => {
    const visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
    const first = await newKey({ monthlyQuota: 6 });
    const grace = { gracePeriodSeconds: 3600 };
    expect((await use(first)).status).to.equal(200);
    const next = await rotate(server, as(cast.alice), first.id, grace);
    expect(await statuses(2, async () => use(first))).to.deep.equal([200, 200]);
    const last = await rotate(server, as(cast.alice), next.id, grace);
    for (const key of [first, next, last]) expect((await use(key)).status).to.equal(200);
    for (const key of [first, next, last]) {
      tooMany(await use(key), 'quota_exceeded');
      const asked = { key: key.key, dryRun: true };
      const verdict = await server.post('/api/v1/keys/verify', asked, as(cast.alice));
      expect(verdict.body).to.include({ code: 'quota_exceeded' });
      const page = await visitor.get(acmePage(`/api-keys/${key.id}`));
      expect(page.text).to.match(/class="figure-value">6 <small>\/ 6</);
    }
    const ended = await rotate(server, as(cast.alice), last.id);
    tooMany(await use(ended), 'quota_exceeded');
  });

  it('says in Retry-After when the month ends, in UTC', async () => {
    const key = await newKey({ monthlyQuota: 1 });
    await use(key);
    const now = new Date();
    const seconds = tooMany(await use(key), 'quota_exceeded');
    const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1);
    expect(seconds).to.be.within((end - Date.now()) / 1000 - 1, (end - now.getTime()) / 1000 + 1);
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

  it('is in the headers of every answer once a tenth of it is left, and of the refusal', async () => {
    const key = await newKey({ monthlyQuota: 20 });
    const { db } = server.services;
    expect(await statuses(17, async () => use(key))).to.deep.equal(Array(17).fill(200));
    const asked: string[] = [];
    const note = ({ sql }: { sql: string }) => asked.push(sql);
    db.on('query', note);
    const answers = [];
    const began = Date.now();
    for (let n = 0; n < 4; n++) answers.push(await use(key));
    db.removeListener('query', note);
    const quotas = asked.filter((sql) => sql.includes('api_key_quotas'));
    // The refusal alone reads what is used.
    expect(quotas.filter((sql) => /^update/i.test(sql))).to.have.length(4);
    expect(quotas).to.have.length(5);
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 429]);

    const days = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() + 1, 0)).getUTCDate();
    for (const [index, answer] of answers.entries()) {
      const [limit, ...more] = String(answer.headers.ratelimit).split(', ');
      const [policy, ...morePolicies] = String(answer.headers['ratelimit-policy']).split(', ');
      expect(limit).to.match(/^"key";r=\d+;t=\d+$/);
      expect(policy).to.match(/^"key";q=\d+;w=60$/);
      expect(answer.headers['x-ratelimit-limit'], 'of the rate alone').to.equal('1000000');
      expect(morePolicies).to.deep.equal([`"quota";q=20;w=${days * 86_400}`]);
      const [, left, seconds] = /^"quota";r=(\d+);t=(\d+)$/.exec(more.join()) ?? [];
      expect(Number(left), more.join()).to.equal([2, 1, 0, 0][index]);
      const end = nextMonth();
      expect(Number(seconds)).to.be.within((end - Date.now()) / 1000 - 1, (end - began) / 1000 + 1);
    }
    expect(answers[3]?.headers['retry-after']).to.equal(
      /"quota";r=0;t=(\d+)/.exec(String(answers[3]?.headers.ratelimit))?.[1],
    );
  });

  it('is not in the headers while more than a tenth of it is left', async () => {
    const key = await newKey({ monthlyQuota: 20 });
    for (let n = 0; n < 17; n++) expect((await use(key)).headers.ratelimit).not.to.include('quota');
  });

  it('is alone in the headers where no rate limits the key', async () => {
    const free = await startServerUnmigrated(database.env(), { KEY_LIMIT: 'off' });
    try {
      const { headers } = await use(await newKey({ monthlyQuota: 1 }), free);
      expect(headers.ratelimit).to.match(/^"quota";r=0;t=\d+$/);
      expect(headers['ratelimit-policy']).to.match(/^"quota";q=1;w=\d+$/);
    } finally {
      await free.stop();
    }
  });

  it('is in the headers as what is left after each of many requests at once', async () => {
    const key = await newKey({ monthlyQuota: 10 });
    await use(key);
    await change(key, { monthlyQuota: 100 });
    expect(await statuses(79, async () => use(key))).to.deep.equal(Array(79).fill(200));
    const asked = [server, second].flatMap((at) => Array.from({ length: 15 }, async () => use(key, at)));
    const told = (await Promise.all(asked)).map(({ status, headers }) => {
      const [, left] = /"quota";r=(\d+)/.exec(String(headers.ratelimit)) ?? [];
      return status === 200 ? Number(left) : `refused ${left}`;
    });
    const passed = told.filter((left) => typeof left === 'number');
    expect(passed.filter((left) => !Number.isNaN(left)).sort((a, b) => b - a)).to.deep.equal([
      ...[10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ]);
    expect(passed).to.have.length(20);
    expect(told.filter((left) => left === 'refused 0')).to.have.length(10);
  });

  it('costs a query only for keys that have one', async () => {
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
      await quotas.take(unrotated(keyId), 1_000);
      const asked: string[] = [];
      const note = ({ sql }: { sql: string }) => asked.push(sql);
      db.on('query', note);
      await nextTurn();
      const answers = await Promise.all(Array.from({ length: 100 }, async () => quotas.take(unrotated(keyId), 1_000)));
      db.removeListener('query', note);
      expect(answers.every(({ allowed }) => allowed)).to.equal(true);
      expect(answers.map(({ left }) => left)).to.deep.equal(Array.from({ length: 100 }, (_, n) => 998 - n));
      expect(asked.filter((sql) => sql.includes('api_key_quotas'))).to.have.length(1);
      expect(await quotaUsed(db, keyId, month())).to.equal(101);
    });

    it('takes as many of a turn as are left', async () => {
      const quotas = createQuotas(server.services.db);
      const keyId = newId();
      const answers = await Promise.all(Array.from({ length: 100 }, async () => quotas.take(unrotated(keyId), 60)));
      expect(answers.map(({ allowed, left }) => (allowed ? left : 'refused'))).to.deep.equal([
        ...Array.from({ length: 60 }, (_, n) => 59 - n),
        ...Array<string>(40).fill('refused'),
      ]);
    });

    it('spends what a request costs or nothing, and lets a cheaper one by', async () => {
      const quotas = createQuotas(server.services.db);
      const keyId = newId();
      const costs = [7, 7, 3, 1, 0];
      const inTurn = await Promise.all(costs.map(async (cost) => quotas.take(unrotated(keyId), 10, cost)));
      expect(inTurn.map(({ allowed }) => allowed)).to.deep.equal([true, false, true, false, true]);
      expect(inTurn.map(({ left }) => left)).to.deep.equal([3, 3, 0, 0, 0]);
      expect((await quotas.take(unrotated(keyId), 10, 11)).allowed).to.equal(false);
      expect(await quotaUsed(server.services.db, keyId, month())).to.equal(10);
    });

    it('begins anew with each month', async () => {
      let now = Date.parse('2026-01-31T23:59:59.999Z');
      const quotas = createQuotas(server.services.db, () => now);
      const keyId = newId();
      const takeTwice = async () => [await quotas.take(unrotated(keyId), 1), await quotas.take(unrotated(keyId), 1)];
      expect((await takeTwice()).map(({ allowed }) => allowed)).to.deep.equal([true, false]);
      now += 1;
      expect((await takeTwice()).map(({ allowed }) => allowed)).to.deep.equal([true, false]);
    });

    it('counts many keys at once', async () => {
      const quotas = createQuotas(server.services.db);
      const keyIds = Array.from({ length: 40 }, newId);
      const answers = await Promise.all([...keyIds, ...keyIds].map(async (keyId) => quotas.take(unrotated(keyId), 1)));
      expect(answers.filter(({ allowed }) => allowed)).to.have.length(40);
    });

    it('fails all who wait at once when the database is gone', async () => {
      const db = connect(server.services.config.database);
      await db.destroy();
      const quotas = createQuotas(db);
      const failures = await Promise.all(
        Array.from({ length: 40 }, async () => quotas.take(unrotated(newId()), 1).catch((error: unknown) => error)),
      );
      for (const failure of failures) expect(failure).to.be.instanceOf(AppError).with.property('status', 503);
    });
  });
});
