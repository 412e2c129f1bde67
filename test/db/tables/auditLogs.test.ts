import { expect } from 'chai';
import type { AuditAction, AuditEntity } from '../../../app/domain/auditEvent.ts';
import { newId } from '../../../app/domain/id.ts';
import type { Db } from '../../../db/connection/connect.ts';
import { insertAuditLogs, listAuditLogs, type AuditFilter, type AuditLog } from '../../../db/tables/auditLogs.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { useServer } from '../../support/useServer.ts';

const WITHOUT = { without: 'API_KEY_USED' } as const;
const OTHERS: readonly [AuditAction, AuditEntity][] = [
  ['API_KEY_CREATED', 'api_key'],
  ['API_KEY_UPDATED', 'api_key'],
  ['LOGIN', 'user'],
];
const USES = 3_000;

onEachDatabase('an audit log of mostly uses of keys', (database) => {
  const { server, acme } = useServer(database);

  /** Newest first: many uses of one key, and behind them what a few others and the key itself did. */
  let logs: AuditLog[];
  before(async () => {
    const now = Date.now();
    const log = (at: number, action: AuditAction, entity: AuditEntity, actorId: string): AuditLog => ({
      ...{ id: newId(), tenantId: acme.id, action, entity, entityId: 'key', before: null, after: null },
      ...{ actor: { type: 'api_key', id: actorId, name: 'k' }, createdAt: now + 1_000_000 - at },
      origin: { ip: null, userAgent: null, requestId: null },
    });
    logs = Array.from({ length: USES + 60 }, (_, at) => {
      const [action, entity] = OTHERS[at % OTHERS.length] ?? ['LOGIN', 'user'];
      return at < USES ? log(at, 'API_KEY_USED', 'api_key', 'key') : log(at, action, entity, at % 2 ? 'key' : 'person');
    });
    await insertAuditLogs(server.services.db, logs);
  });

  const filters: [string, AuditFilter, (log: AuditLog) => boolean][] = [
    ['everything', {}, () => true],
    ['a kind', { entity: 'api_key' }, ({ entity }) => entity === 'api_key'],
    ['an actor', { actorId: 'key' }, ({ actor }) => actor.id === 'key'],
    ['a thing', { entityId: 'key' }, () => true],
  ];
  for (const [what, filter, fits] of filters) {
    it(`lists ${what} without them page by page, newest first, and reads no use of a key for it`, async () => {
      const own = logs.filter((log) => log.action !== 'API_KEY_USED' && fits(log)).map(({ id }) => id);
      const { db } = server.services;
      await db.transaction(async (trx) => {
        if (database.kind === 'mysql') await trx.raw('flush status');
        const first = await page(trx, filter);
        const last = first.at(-1);
        const second = await page(trx, filter, last && { at: last.createdAt, id: last.id });
        expect([...first, ...second].map(({ id }) => id)).to.deep.equal(own.slice(0, 20));
        // SQLite counts no rows that it reads.
        if (database.kind === 'mysql') expect(await rowsRead(trx)).to.be.lessThan(USES / 2);
      });
    });
  }

  async function page(db: Db, filter: AuditFilter, after?: { at: number; id: string }): Promise<AuditLog[]> {
    return listAuditLogs(db, acme.id, { ...filter, ...WITHOUT, from: logs.at(-1)?.createdAt }, { after, limit: 10 });
  }

  /** How many rows this connection has read since its status was flushed. */
  async function rowsRead(db: Db): Promise<number> {
    const [rows] = (await db.raw(`show session status like 'Handler_read%'`)) as [{ Value: string }[]];
    return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
  }
});
