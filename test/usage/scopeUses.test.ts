import { expect } from 'chai';
import { newId } from '../../app/domain/id.ts';
import { UsageTotals } from '../../app/usage/usageTotals.ts';
import type { JournalEntry } from '../../app/usage/usageEvent.ts';
import { UsageWriter, type SummedBatches } from '../../app/usage/usageWriter.ts';
import { connect, type Db } from '../../db/connection/connect.ts';
import { noteScopeUses } from '../../db/tables/keys/apiKeyScopeUses.ts';
import type { UsageBatch } from '../../db/tables/usage/usageBatches.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useServerWithoutCast } from '../support/useServer.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TODAY = Date.now() - (Date.now() % DAY);
const TENANT = newId();

onEachDatabase('the day on which a key last used a scope', (database) => {
  const server = useServerWithoutCast(database);
  let db: Db;
  let keyId: string;
  before(async () => {
    ({ db } = server.services);
  });
  beforeEach(() => {
    keyId = newId();
  });

  const batch = () => ({ processId: newId(), sequence: 1 });
  const use = (scope: string | null, createdAt: number, statusCode = 200): JournalEntry => ({
    ...({ v: 1, keyId, tenantId: TENANT, keyName: 'a key', method: 'GET', endpoint: '/', statusCode, scope } as const),
    ...{ ip: null, userAgent: null, responseMs: 1, createdAt, requestId: null },
  });
  const sumOf = (batches: UsageBatch[], ...uses: JournalEntry[]): SummedBatches => {
    const totals = new UsageTotals();
    for (const one of uses) totals.add(one);
    return { batches, totals };
  };
  const noted = async () => {
    const rows = await db<{ key_id: string; scope: string; day: number; tenant_id: string }>('api_key_scope_uses')
      .where({ key_id: keyId, tenant_id: TENANT })
      .orderBy('scope');
    return Object.fromEntries(rows.map(({ scope, day }) => [scope, day]));
  };

  it('is kept for each scope that was asked for, whatever the answer', async () => {
    const uses = [
      use('orders:read', TODAY - 3 * DAY + 5 * HOUR),
      use('orders:read', TODAY - 2 * DAY + 23 * HOUR),
      use('orders:read', TODAY - 4 * DAY),
      use('orders:write', TODAY - DAY, 403),
      use(null, TODAY),
    ];
    await new UsageWriter(db).writeSums([sumOf([batch()], ...uses)]);
    expect(await noted()).to.deep.equal({ 'orders:read': TODAY - 2 * DAY, 'orders:write': TODAY - DAY });
  });

  it('never goes back, whoever writes, and however often', async () => {
    const writers = [new UsageWriter(db), new UsageWriter(db)] as const;
    const first = batch();
    for (const writer of writers) {
      await writer.writeSums([sumOf([first], use('orders:read', TODAY - DAY))]);
      expect(await noted()).to.deep.equal({ 'orders:read': TODAY - DAY });
      await writer.writeSums([sumOf([batch()], use('orders:read', TODAY - 9 * DAY))]);
      expect(await noted()).to.deep.equal({ 'orders:read': TODAY - DAY });
    }
    await new UsageWriter(db).writeSums([sumOf([batch()], use('orders:read', TODAY - 9 * DAY))]);
    expect(await noted()).to.deep.equal({ 'orders:read': TODAY - DAY });
    for (const writer of writers) await writer.writeSums([sumOf([batch()], use('orders:read', TODAY))]);
    expect(await noted()).to.deep.equal({ 'orders:read': TODAY });
  });

  it('is offered to the database once a day by a process', async () => {
    let offers = 0;
    const listen = ({ sql }: { sql: string }) => {
      if (sql.includes('api_key_scope_uses')) offers++;
    };
    db.on('query', listen);
    try {
      const writer = new UsageWriter(db);
      const write = async (...uses: JournalEntry[]) => writer.writeSums([sumOf([batch()], ...uses)]);
      for (const hour of [1, 2, 3]) await write(use('orders:read', TODAY - DAY + hour * HOUR));
      expect(offers).to.equal(1);
      await write(use('orders:read', TODAY - DAY), use('orders:write', TODAY - DAY));
      expect(offers).to.equal(2);
      for (const hour of [1, 2, 3]) await write(use('orders:read', TODAY + hour * HOUR));
      expect(offers).to.equal(3);
    } finally {
      db.off('query', listen);
    }
    expect(await noted()).to.deep.equal({ 'orders:read': TODAY, 'orders:write': TODAY - DAY });
  });

  it('is offered again by a process whose attempt failed', async () => {
    let failures = 1;
    const flaky = new Proxy(db, {
      get: (target, name) => {
        if (name !== 'raw') return Reflect.get(target, name) as unknown;
        return (sql: string, values: string[]) => {
          if (sql.includes('api_key_scope_uses') && failures-- > 0) throw new Error('away');
          return target.raw(sql, values);
        };
      },
    });
    const writer = new UsageWriter(flaky);
    const again = [sumOf([batch()], use('orders:read', TODAY))];
    const failed: unknown = await writer.writeSums(again).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(Error);
    await writer.writeSums(again);
    expect(await noted()).to.deep.equal({ 'orders:read': TODAY });
  });

  it('is written by two processes at once without one ending the other', async () => {
    const second = connect(server.services.config.database);
    const keyIds = Array.from({ length: 1_500 }, newId);
    const uses = (day: number) => keyIds.map((id) => ({ keyId: id, tenantId: TENANT, scope: 'orders:read', day }));
    try {
      await noteScopeUses(db, uses(TODAY - 9 * DAY));
      for (let ago = 8; ago >= 0; ago--) {
        const day = TODAY - ago * DAY;
        await Promise.all([noteScopeUses(db, uses(day)), noteScopeUses(second, uses(day).reverse())]);
      }
    } finally {
      await second.destroy();
    }
    const days = await db('api_key_scope_uses').whereIn('key_id', keyIds.slice(0, 900)).distinct('day').pluck('day');
    expect(days).to.deep.equal([TODAY]);
  });
});
