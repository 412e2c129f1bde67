import { expect } from 'chai';
import { keyStatus, KEY_STATUSES } from '../../app/domain/keyStatus.ts';
import { catchUp } from '../../db/catchUp.ts';
import { connect } from '../../db/connect.ts';
import { countApiKeys } from '../../db/tables/apiKeyList.ts';
import { keyOf, type Row } from '../../db/tables/apiKeyRow.ts';
import { as, castOf, type Cast } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { issue, rotate } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';

const HOUR = 3_600_000;
const LISTED = ['active', 'rotating', 'expired'] as const;

onEachDatabase('how many keys there are', (database) => {
  let server: TestServer;
  let cast: Cast;
  before(async () => {
    server = await startServer(database.env());
    cast = await castOf(server);
  });
  after(async () => server.stop());

  /** Compares what is counted, status by status, with what each key says of itself. */
  async function expectTotals(now: number): Promise<void> {
    const { db } = server.services;
    for (const { id: tenantId } of [cast.acme, cast.charlie.tenant]) {
      const rows = await db<Row>('api_keys').where('tenant_id', tenantId);
      const keys = rows.map((row) => ({ environment: row.environment, status: keyStatus(keyOf(row), now) }));
      for (const statuses of [...KEY_STATUSES.map((one) => [one]), LISTED, KEY_STATUSES]) {
        for (const environment of [undefined, 'live', 'test'] as const) {
          const expected = keys.filter(
            (key) => statuses.some((one) => one === key.status) && (!environment || key.environment === environment),
          );
          const counted = await countApiKeys(db, tenantId, { statuses, environment, now });
          expect(counted, `${statuses.join()} ${environment ?? ''}`).to.equal(expected.length);
        }
      }
    }
  }

  /** One of each kind of change, several of them at once. */
  async function change(): Promise<void> {
    const alice = as(cast.alice);
    const made = await Promise.all(
      ['live', 'test', 'live', 'test', 'live', 'live'].map(async (environment) =>
        issue(server, alice, { environment }),
      ),
    );
    const [revoked, rotated, replaced, stopped, shortened] = made.map(({ id }) => id) as [
      string,
      string,
      string,
      string,
      string,
    ];
    await Promise.all([
      server.delete(`/api/api-keys/${revoked}`, alice),
      rotate(server, alice, rotated, { gracePeriodSeconds: 3_600 }),
      rotate(server, alice, replaced),
      rotate(server, alice, stopped, { gracePeriodSeconds: 7_200 }),
      server.patch(`/api/api-keys/${shortened}`, { expiresAt: new Date(Date.now() + HOUR).toISOString() }, alice),
      issue(server, as(cast.charlie), { environment: 'test' }),
      issue(server, alice, { expiresInDays: 1 }),
    ]);
    await server.delete(`/api/api-keys/${stopped}`, alice);
  }

  /** Lets time pass, for keys and for what was counted of them. */
  async function pass(ms: number): Promise<void> {
    const { db } = server.services;
    for (const column of ['created_at', 'updated_at', 'revoked_at', 'grace_ends_at', 'expires_at']) {
      await db('api_keys').update(column, db.raw('?? - ?', [column, ms]));
    }
    await db('catch_ups').update('until', db.raw('?? - ?', ['until', ms]));
  }

  it('is right after every change, at once and when it is long ago, however often it was counted before', async () => {
    const { db, config } = server.services;
    for (const ms of [0, 0.5 * HOUR, 0.75 * HOUR, 1.5 * HOUR, 30 * HOUR]) {
      await change();
      await expectTotals(Date.now());
      await pass(ms);
      await expectTotals(Date.now());
      expect(await catchUp(db, config.database, Date.now())).to.equal(true);
      await expectTotals(Date.now());
    }
    expect(await db('api_key_counts').where('ended', '>', 0)).to.have.length(2);
  });

  it('is right while two processes count at once and keys are made and ended', async () => {
    const { db, config } = server.services;
    const second = connect(config.database);
    try {
      await change();
      await pass(2 * HOUR);
      const runs = Promise.all([db, second].map(async (one) => catchUp(one, config.database, Date.now())));
      await Promise.all([runs, change(), change()]);
      expect(await runs).to.include(true);
      await expectTotals(Date.now());
    } finally {
      await second.destroy();
    }
  });
});
