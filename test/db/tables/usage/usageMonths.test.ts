import { expect } from 'chai';
import { newId } from '../../../../app/domain/id.ts';
import { rollUp } from '../../../../db/upkeep/rollup.ts';
import { connect, transaction } from '../../../../db/connection/connect.ts';
import { sumByDay, rollUpNextDays } from '../../../../db/tables/usage/apiKeyUsageMonths.ts';
import { addKeyUsageHours, type KeyUsageHour } from '../../../../db/tables/usage/apiKeyUsageHours.ts';
import { onEachDatabase } from '../../../support/databases.ts';
import { useServer } from '../../../support/useServer.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

onEachDatabase('what keys did day by day', (database) => {
  const { server, acme, charlie } = useServer(database);
  const keys = Array.from({ length: 3 }, () => newId());
  const today = Date.now() - (Date.now() % DAY);
  const span = { from: today - 29 * DAY, to: today + DAY };

  const use = (keyId: string, ago: number, endpoint = '/a'): KeyUsageHour => {
    const at = Date.now() - ago;
    return {
      keyId,
      tenantId: acme.id,
      hour: at - (at % HOUR),
      method: 'GET',
      endpoint,
      scope: '',
      ok: 2,
      denied: 1,
      responseMs: 1,
    };
  };
  const everyHour = (days: number) =>
    Array.from({ length: days * 24 }, (_, hours) => keys.map((key) => use(key, hours * HOUR))).flat();
  const add = async (hours: KeyUsageHour[], db = server.services.db) =>
    transaction(db, async (trx) => addKeyUsageHours(trx, hours));

  /** Compares with the sum over the hours themselves. */
  async function expectSums(): Promise<void> {
    const { db } = server.services;
    const rows = await db<{ key_id: string; hour: number; ok: number; denied: number }>('api_key_usage_hours')
      .where('hour', '>=', span.from)
      .whereIn('key_id', keys);
    const sums: Record<string, number> = {};
    for (const { key_id, hour, ok, denied } of rows) {
      const place = `${key_id} ${hour - (hour % DAY)}`;
      sums[place] = (sums[place] ?? 0) + ok + denied;
    }
    const told = await sumByDay(db, acme.id, keys, span);
    const counted = [...told].flatMap(([keyId, days]) =>
      days.map((requests, index) => [`${keyId} ${span.from + index * DAY}`, requests] as const),
    );
    expect(Object.fromEntries(counted.filter(([, requests]) => requests > 0))).to.deep.equal(sums);
  }

  const summed = async () =>
    Number((await server.services.db('api_key_usage_months').count({ n: '*' }).first())?.['n']);

  it('is the sum of their hours before they were summed up, after that, and half-way', async () => {
    const { db, config } = server.services;
    await add(everyHour(10));
    await expectSums();
    for (let step = 0; step < 30; step++) await rollUpNextDays(db, Date.now() - 5 * HOUR);
    await expectSums();
    expect(await rollUp(db, config.database, Date.now())).to.equal(true);
    await expectSums();
    // A row for each key and month, however many its days.
    expect(await summed()).to.be.within(keys.length, keys.length * 2);
    await add(everyHour(1));
    await expectSums();
  });

  it('has uses that are counted days late, and each once', async () => {
    const { db, config } = server.services;
    await rollUp(db, config.database, Date.now());
    for (const ago of [3 * HOUR, 6 * HOUR, 2 * DAY, 20 * DAY]) {
      await add([use(keys[0] ?? '', ago), use(keys[0] ?? '', ago, '/b'), use(keys[1] ?? '', ago)]);
      await expectSums();
    }
    await rollUp(db, config.database, Date.now());
    await expectSums();
  });

  it('stays right when two processes sum up at once while late uses arrive', async () => {
    const { db, config } = server.services;
    const second = connect(config.database);
    try {
      await db('catch_ups').where({ name: 'api_key_usage_months' }).delete();
      await db('api_key_usage_months').delete();
      const runs = Promise.all([rollUp(db, config.database, Date.now()), rollUp(second, config.database, Date.now())]);
      for (let n = 0; n < 20; n++) {
        await add([use(keys[n % 3] ?? '', (n % 10) * DAY + 7 * HOUR)], second);
        await expectSums();
      }
      expect(await runs).to.have.members([true, false]);
      await expectSums();
    } finally {
      await second.destroy();
    }
  });

  it('shows nothing to another tenant', async () => {
    expect([...(await sumByDay(server.services.db, charlie.tenant.id, keys, span))]).to.deep.equal([]);
  });
});
