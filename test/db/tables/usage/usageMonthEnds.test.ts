import { expect } from 'chai';
import { readConfig } from '../../../../app/config.ts';
import type { DatabaseConfig } from '../../../../db/connection/settings.ts';
import type { Span } from '../../../../app/domain/times.ts';
import { newId } from '../../../../app/domain/id.ts';
import { rollUp } from '../../../../db/upkeep/rollup.ts';
import { connect, transaction, type Db } from '../../../../db/connection/connect.ts';
import { migrate } from '../../../../db/migrate.ts';
import { STEPS } from '../../../../db/migrations/index.ts';
import { addKeyUsageHours, type KeyUsageHour } from '../../../../db/tables/usage/apiKeyUsageHours.ts';
import { sumByDay, rollUpNextDays } from '../../../../db/tables/usage/apiKeyUsageMonths.ts';
import { onEachDatabase } from '../../../support/databases.ts';
import { JWT_SECRET } from '../../../support/server.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TENANT = newId();
const INTEGER_MAX = 2 ** 31 - 1;

const at = (text: string) => Date.parse(`${text}Z`);
const spanOf = (first: string, last: string): Span => ({ from: at(first), to: at(last) + DAY });
const daysOf = ({ from, to }: Span) => Array.from({ length: (to - from) / DAY }, (_, day) => from + day * DAY);

const hourOf = (keyId: string, hour: number, ok: number, endpoint = '/a'): KeyUsageHour => ({
  ...{ keyId, tenantId: TENANT, hour, method: 'GET', endpoint, scope: '', ok },
  ...{ denied: 0, responseMs: 1 },
});

onEachDatabase('requests of days around the end of a month', (database) => {
  const [first, second] = [newId(), newId()] as [string, string];
  const keys = [first, second];
  const used = [
    spanOf('2023-12-30', '2024-01-02'),
    spanOf('2024-01-30', '2024-03-02'),
    spanOf('2025-01-29', '2025-03-03'),
  ];
  /** A number of its own for each day, so that none stands in for another. */
  const requests = new Map(used.flatMap(daysOf).map((day, index) => [day, 100 + index]));
  const spans: Record<string, Span> = {
    'a year’s end': spanOf('2023-12-31', '2024-01-01'),
    'a leap February': spanOf('2024-02-01', '2024-02-29'),
    'a leap day': spanOf('2024-02-29', '2024-02-29'),
    'a February without one': spanOf('2025-02-01', '2025-02-28'),
    'thirty days in three months': spanOf('2025-01-31', '2025-03-01'),
    'the 31st': spanOf('2025-01-31', '2025-01-31'),
    'the first': spanOf('2025-03-01', '2025-03-01'),
    'some days of one month': spanOf('2025-02-10', '2025-02-12'),
  };
  let config: DatabaseConfig;
  let db: Db;
  before(async () => {
    config = readConfig({ JWT_SECRET, ...database.env() }).database;
    db = connect(config);
    // As the release before left it: summed up by the day, and wrongly, so that nothing of it can be taken for right.
    const older = STEPS.findIndex(({ name }) => name === 'create api_key_usage_months');
    await migrate(config, { steps: STEPS.slice(0, older) });
    const summed = keys.flatMap((key_id) => [...requests.keys()].map((day) => ({ key_id, day })));
    await db('api_key_usage_days').insert(summed.map((row) => ({ ...row, tenant_id: TENANT, requests: 7 })));
    await db('catch_ups').insert({ name: 'api_key_usage_days', until: at('2025-04-01'), key_id: '' });
    await migrate(config);
    const hours = [...requests].flatMap(([day, count]) => [
      hourOf(first, day, count - 50),
      hourOf(first, day + 23 * HOUR, 50),
      hourOf(second, day + 12 * HOUR, 2 * count),
    ]);
    await add(hours);
  });
  after(async () => db.destroy());

  const add = async (hours: KeyUsageHour[]) => transaction(db, async (trx) => addKeyUsageHours(trx, hours));

  /** Up to when the hours are summed up. */
  async function reached(): Promise<number> {
    return (await db('catch_ups').where({ name: 'api_key_usage_months' }).first<{ until: number }>()).until;
  }

  async function expectAll(): Promise<void> {
    for (const [name, span] of Object.entries(spans)) {
      const days = daysOf(span).map((day) => requests.get(day) ?? 0);
      const told = await sumByDay(db, TENANT, keys, span);
      const expected = { [first]: days, [second]: days.map((count) => 2 * count) };
      expect(Object.fromEntries(told), name).to.deep.equal(expected);
      // Nothing before the first either, which a comparison of lists would not see.
      expect(Object.keys(told.get(first) ?? []), name).to.have.length(days.length);
    }
  }

  it('are right after an upgrade, while they are summed up anew, and after that', async () => {
    expect(await reached()).to.equal(0);
    await expectAll();
    for (const end of ['2024-02-29T13:00', '2025-02-11T05:00']) {
      while (await rollUpNextDays(db, at(end)));
      expect(await reached()).to.be.within(at(end) - 12 * HOUR, at(end));
      await expectAll();
    }
    expect(await rollUp(db, config, Date.now())).to.equal(true);
    expect(await reached()).to.equal(at('2025-03-04'));
    await expectAll();
    expect(await db.schema.hasTable('api_key_usage_days')).to.equal(false);
    expect(await db('catch_ups').where({ name: 'api_key_usage_days' })).to.deep.equal([]);
  });

  it('have uses of many days that come late together, each once', async () => {
    const late = ['2025-01-31', '2025-02-01', '2025-02-28', '2025-03-01', '2024-02-29', '2023-12-31'];
    const hours = late.flatMap((day, index) => [
      hourOf(second, at(day) + 23 * HOUR, 20 + 2 * index),
      hourOf(first, at(day) + HOUR, index),
      hourOf(first, at(day) + HOUR, 7, '/b'),
      hourOf(first, at(day) + 2 * HOUR, 3),
    ]);
    await add(hours);
    late.forEach((day, index) => requests.set(at(day), (requests.get(at(day)) ?? 0) + 10 + index));
    await expectAll();
  });

  it('leave out a key that was used on other days of the month only', async () => {
    const other = newId();
    await add([hourOf(other, at('2025-02-09T23:00'), 1), hourOf(other, at('2025-02-13'), 1)]);
    expect(await sumByDay(db, TENANT, [other], spanOf('2025-02-10', '2025-02-12'))).to.deep.equal(new Map());
    expect(await sumByDay(db, TENANT, [other], spanOf('2025-02-09', '2025-02-10'))).to.deep.equal(
      new Map([[other, [1, 0]]]),
    );
  });

  it('may be more of one day than an integer holds', async () => {
    const busy = newId();
    const day = at('2025-01-31');
    await add([hourOf(busy, day, INTEGER_MAX), hourOf(busy, day, INTEGER_MAX, '/b')]);
    expect(await sumByDay(db, TENANT, [busy], { from: day, to: day + DAY })).to.deep.equal(
      new Map([[busy, [2 * INTEGER_MAX]]]),
    );
  });

  it('are right when the keys of an hour are summed up in part, and some are used in it once more', async () => {
    const many = Array.from({ length: 1_500 }, () => newId()).sort();
    const [inside, outside] = [many[10], many[1_490]] as [string, string];
    const asked = [inside, outside];
    const hour = at('2025-03-31T23:00');
    const day = spanOf('2025-03-31', '2025-03-31');
    await add(many.map((key) => hourOf(key, hour, 5)));
    expect(await rollUpNextDays(db, Date.now(), { steps: 1 })).to.equal(true);
    expect(await db('api_key_usage_months').whereIn('key_id', asked).pluck('d31')).to.deep.equal([5]);
    await add(asked.map((key) => hourOf(key, hour, 3)));
    const right = [[8], [8]];
    expect([...(await sumByDay(db, TENANT, asked, day)).values()]).to.deep.equal(right);
    await rollUp(db, config, Date.now());
    expect([...(await sumByDay(db, TENANT, asked, day)).values()]).to.deep.equal(right);
    expect(await db('api_key_usage_months').whereIn('key_id', asked).pluck('d31')).to.deep.equal([8, 8]);
  });

  it('are right when keys are used late in an hour while it is summed up, some for the first time', async () => {
    const many = Array.from({ length: 1_500 }, () => newId());
    const hour = at('2025-04-02T22:00');
    const late: string[] = [];
    const addLate = async () => {
      late.push(newId());
      await add([late.at(-1), many[late.length], many.at(-late.length)].map((key = '') => hourOf(key, hour, 3, '/b')));
    };
    const whileOthersAdd = new Proxy(db, {
      get: (target, name) => {
        if (name !== 'transaction') return Reflect.get(target, name) as unknown;
        return async (work: Parameters<Db['transaction']>[0]) => {
          await addLate();
          return target.transaction(work);
        };
      },
    });
    await add(many.map((key) => hourOf(key, hour, 5)));
    while (await rollUpNextDays(whileOthersAdd, hour + HOUR));
    expect(late.length).to.be.greaterThan(1);
    const told = await sumByDay(db, TENANT, [...many, ...late], spanOf('2025-04-02', '2025-04-02'));
    expect(told.size).to.equal(many.length + late.length);
    const total = [...told.values()].flat().reduce((sum, requests) => sum + requests);
    expect(total).to.equal(many.length * 5 + late.length * 9);
  });
});
