import { expect } from 'chai';
import { readConfig } from '../../../../app/config.ts';
import type { DatabaseConfig } from '../../../../db/connection/settings.ts';
import { newId } from '../../../../app/domain/id.ts';
import { connect, type Db } from '../../../../db/connection/connect.ts';
import { migrate, migrationState } from '../../../../db/migrate.ts';
import { STEPS } from '../../../../db/migrations/index.ts';
import { onEachDatabase } from '../../../support/databases.ts';
import { JWT_SECRET } from '../../../support/server.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TODAY = Date.now() - (Date.now() % DAY);
const FILL = STEPS.findIndex(({ name }) => name === 'fill api_key_scope_uses');
const TABLE = STEPS.findIndex(({ name }) => name === 'create api_key_scope_uses');
const TENANT = newId();

onEachDatabase('the uses of scopes that an older release counted by the hour', (database) => {
  let config: DatabaseConfig;
  let db: Db;
  /** More keys than are looked at together. */
  const keyIds = Array.from({ length: 45 }, newId);
  before(async () => {
    config = readConfig({ JWT_SECRET, ...database.env() }).database;
    db = connect(config);
    await migrate(config, { steps: STEPS.slice(0, TABLE) });
    const hours = keyIds.flatMap((keyId, n) => [
      hour(keyId, 'orders:read', TODAY - n * DAY + 5 * HOUR),
      hour(keyId, 'orders:read', TODAY - n * DAY + 23 * HOUR),
      hour(keyId, 'orders:read', TODAY - (n + 7) * DAY),
      hour(keyId, 'orders:write', TODAY - (n + 50) * DAY),
      hour(keyId, '', TODAY),
    ]);
    await db.batchInsert('api_key_usage_hours', hours, 50);
  });
  after(async () => db.destroy());

  it('are not lost where filling them in breaks off, and are all there in the end', async () => {
    const fill = STEPS[FILL];
    const broken = { name: fill?.name ?? '', up: async (on: Db) => breakOff(fill?.up(on)) };
    await migrate(config, { steps: STEPS.slice(0, FILL) });
    const error: unknown = await migrate(config, { steps: STEPS.with(FILL, broken) }).catch(
      (failure: unknown) => failure,
    );
    expect(error).to.have.property('message').that.includes('broken off');
    // Where they were written in one transaction, all of it is undone: on MySQL that would hold all of a large table.
    expect(await noted()).to.deep.equal(database.kind === 'mysql' ? expected() : {});
    expect(await migrationState(db)).to.equal('pending');
    await migrate(config);
    expect(await noted()).to.deep.equal(expected());
  });

  it('are filled in once more without turning a later day back', async () => {
    const [earlier = '', later = ''] = [keyIds[3], keyIds[30]];
    await db('api_key_scope_uses')
      .where({ key_id: earlier })
      .update({ day: TODAY - 300 * DAY });
    await db('api_key_scope_uses')
      .where({ key_id: later })
      .update({ day: TODAY + DAY });
    await STEPS[FILL]?.up(db);
    const moved = { [`${later} orders:read`]: TODAY + DAY, [`${later} orders:write`]: TODAY + DAY };
    expect(await noted()).to.deep.equal({ ...expected(), ...moved });
  });

  const hour = (keyId: string, scope: string, at: number) => ({
    ...{ key_id: keyId, tenant_id: TENANT, hour: at, method: 'GET', endpoint: '/', scope },
    ...{ ok: 1, denied: 0, response_ms: 1 },
  });

  const expected = () =>
    Object.fromEntries(
      keyIds.flatMap((keyId, n) => [
        [`${keyId} orders:read`, TODAY - n * DAY],
        [`${keyId} orders:write`, TODAY - (n + 50) * DAY],
      ]),
    );

  async function noted(): Promise<Record<string, number>> {
    const rows = await db<{ key_id: string; scope: string; day: number }>('api_key_scope_uses').select();
    return Object.fromEntries(rows.map(({ key_id, scope, day }) => [`${key_id} ${scope}`, day]));
  }

  async function breakOff(work: Promise<void> | undefined): Promise<never> {
    await work;
    throw new Error('broken off');
  }
});
