import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { readConfig } from '../../../../app/config.ts';
import type { DatabaseConfig } from '../../../../db/connection/settings.ts';
import { newId } from '../../../../app/domain/id.ts';
import { connect, transaction, type Db } from '../../../../db/connection/connect.ts';
import { migrate } from '../../../../db/migrate.ts';
import { addKeyUsageHours, type KeyUsageHour } from '../../../../db/tables/usage/apiKeyUsageHours.ts';
import { sumByDay, rollUpNextDays } from '../../../../db/tables/usage/apiKeyUsageMonths.ts';
import { onEachDatabase } from '../../../support/databases.ts';
import { JWT_SECRET } from '../../../support/server.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TENANT = newId();
const EARLIER = Date.parse('2025-02-03T00:00Z');
const LATER = EARLIER + DAY;
/** Long enough to be seen not to wait, and shorter than anybody waits for a row. */
const A_WHILE_MS = 150;

onEachDatabase('late uses while another process', (database) => {
  let config: DatabaseConfig;
  let db: Db;
  let second: Db;
  beforeEach(async () => {
    config = readConfig({ JWT_SECRET, ...database.env() }).database;
    db = connect(config);
    second = connect(config);
    await migrate(config);
  });
  afterEach(async () => Promise.all([db.destroy(), second.destroy()]));

  const use = (keyId: string, hour: number, endpoint = '/a'): KeyUsageHour => ({
    ...{ keyId, tenantId: TENANT, hour, method: 'GET', endpoint, scope: '', ok: 1 },
    ...{ denied: 0, responseMs: 1 },
  });
  const sums = async (keys: string[]) => {
    const told = await sumByDay(db, TENANT, keys, { from: EARLIER, to: LATER + DAY });
    return keys.map((key) => told.get(key));
  };

  it('sums up the first hour of all are counted once', async () => {
    const key = newId();
    await transaction(db, async (trx) => addKeyUsageHours(trx, [use(key, EARLIER)]));
    const late = await db.transaction();
    await addKeyUsageHours(late, [use(key, EARLIER, '/b')]);
    const step = rollUpNextDays(second, Date.now());
    await Promise.race([step, delay(A_WHILE_MS)]);
    await late.commit();
    expect(await step).to.equal(true);
    expect(await sums([key])).to.deep.equal([[2, 0]]);
    expect(await db('api_key_usage_months').where({ key_id: key }).pluck('d3')).to.deep.equal([2]);
  });

  it('writes some for the same keys, on other days, do not wait for each other crosswise', async () => {
    const keys = Array.from({ length: 100 }, () => newId());
    const halves = [keys.slice(0, 50), keys.slice(50)] as [string[], string[]];
    const on = (some: string[], hour: number) => some.map((key) => use(key, hour));
    await transaction(db, async (trx) => addKeyUsageHours(trx, on(keys, LATER + 23 * HOUR)));
    while (await rollUpNextDays(db, Date.now()));
    for (let round = 0; round < 20; round++) {
      const [one, other] = round % 2 === 0 ? halves : halves.toReversed();
      // Not `transaction`, which would begin again after a deadlock.
      await Promise.all([
        db.transaction(async (trx) =>
          addKeyUsageHours(trx, [...on(one ?? [], EARLIER + round * HOUR), ...on(other ?? [], LATER + round * HOUR)]),
        ),
        second.transaction(async (trx) =>
          addKeyUsageHours(trx, [...on(other ?? [], EARLIER + round * HOUR), ...on(one ?? [], LATER + round * HOUR)]),
        ),
      ]);
    }
    expect(await sums(keys)).to.deep.equal(keys.map(() => [20, 21]));
  });
});
