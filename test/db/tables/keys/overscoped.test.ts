import { expect } from 'chai';
import { BUILT_IN } from '../../../../app/domain/scopeCatalogue.ts';
import { systemContext } from '../../../../app/actions/actionContext.ts';
import { issueKey } from '../../../../app/actions/keys/issueKey.ts';
import { updateKey } from '../../../../app/actions/keys/updateKey.ts';
import { newId } from '../../../../app/domain/id.ts';
import { NewKey } from '../../../../app/domain/keyInput.ts';
import { DEFAULT_POLICY } from '../../../../app/domain/policy.ts';
import { hashKey } from '../../../../app/domain/token.ts';
import { scopeUses } from '../../../../app/admin/keys/keyUse.ts';
import type { Db } from '../../../../db/connection/connect.ts';
import { countAttention, hasMoreInUse, MOST_CHECKED } from '../../../../db/tables/keys/apiKeyAttention.ts';
import { KEY_COLUMNS, type KeyRow } from '../../../../db/tables/keys/apiKeyFields.ts';
import { matching } from '../../../../db/tables/keys/apiKeyFilter.ts';
import { addKeyUsageHours } from '../../../../db/tables/usage/apiKeyUsageHours.ts';
import { narrowed } from '../../../../db/tables/keys/apiKeyList.ts';
import { findApiKey } from '../../../../db/tables/keys/apiKeys.ts';
import { onDatabase, onEachDatabase, type TestDatabase } from '../../../support/databases.ts';
import { useServer } from '../../../support/useServer.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MOST = 101;

/** What a key asked for, and how long ago. */
type Asked = { scope: string; ago: number; statusCode?: number };

onEachDatabase('a key that holds more than it uses', (database) => {
  const { make, wantsAttention, listed, services, tenantId } = keysOf(database);

  it('is one with a scope that no request asked for, until one does', async () => {
    const read = { scope: 'orders:read', ago: HOUR };
    const written = { scope: 'customers:write', ago: 80 * DAY };
    const scopes = ['orders:read', 'customers:write'];
    expect(await wantsAttention(await make(scopes, [read]))).to.equal(true);
    expect(await wantsAttention(await make(scopes, [read, written]))).to.equal(false);
  });

  it('is none whose scope was used for what it covers', async () => {
    expect(await wantsAttention(await make(['read'], [{ scope: 'projects:read', ago: DAY }]))).to.equal(false);
    expect(await wantsAttention(await make(['read'], [{ scope: 'members:read', ago: DAY }]))).to.equal(true);
    expect(await wantsAttention(await make(['orders:write'], [{ scope: 'orders:read', ago: DAY }]))).to.equal(false);
  });

  it('is none whose scope was asked for and refused', async () => {
    const refused = await make(['orders:write'], [{ scope: 'orders:write', ago: DAY, statusCode: 409 }]);
    expect(await wantsAttention(refused)).to.equal(false);
  });

  it('is one whose scope was last used before those ninety days', async () => {
    const ago = (ms: number) => [{ scope: 'orders:read', ago: ms }];
    expect(await wantsAttention(await make(['orders:read'], ago(90 * DAY - 61 * MINUTE)))).to.equal(false);
    expect(await wantsAttention(await make(['orders:read'], ago(91 * DAY)))).to.equal(true);
  });

  it('is none whose unused scope was added within those ninety days, or that was imported then', async () => {
    const { db } = services();
    const id = await make(['orders:read'], [{ scope: 'orders:read', ago: DAY }]);
    await updateKey(systemContext(db, tenantId()), id, { scopes: ['orders:read', 'customers:write'] });
    expect(await wantsAttention(id)).to.equal(false);
    const changes = db('audit_logs').where({ entity_id: id, action: 'API_KEY_SCOPES_UPDATED' });
    await changes.update({ created_at: Date.now() - 91 * DAY });
    expect(await wantsAttention(id)).to.equal(true);
    await db('api_keys')
      .where({ id })
      .update({ imported_at: Date.now() - DAY });
    expect(await wantsAttention(id)).to.equal(false);
  });

  it('is not judged by what another key used', async () => {
    await make(['orders:write'], [{ scope: 'orders:write', ago: DAY }]);
    expect(await wantsAttention(await make(['orders:write'], []))).to.equal(true);
  });

  it('is looked for among those used last, where there are very many', async () => {
    const { db } = services();
    const id = await make(['orders:write'], []);
    const row = await db<KeyRow>('api_keys').where({ id }).first(KEY_COLUMNS);
    const others = Array.from({ length: MOST_CHECKED }, (_, index) => ({
      ...row,
      id: newId(),
      key_hash: hashKey(`one of many ${index}`),
      last_used_at: Date.now() + DAY,
    }));
    const isCut = async () => hasMoreInUse(db, tenantId(), Date.now());
    expect((await listed()).includes(id)).to.equal(true);
    expect(await isCut()).to.equal(false);
    await db.batchInsert('api_keys', others, 50);
    expect((await listed()).includes(id)).to.equal(false);
    expect(await isCut()).to.equal(true);
    await db('api_keys').where('last_used_at', '>', Date.now()).delete();
    expect((await listed()).includes(id)).to.equal(true);
  });
});

onDatabase('mysql', 'whether a busy key holds more than it uses', (database) => {
  const { make, wantsAttention, services, tenantId } = keysOf(database);

  it('is told without a look at its hours', async () => {
    const scopes = ['projects:read', 'orders:read', 'orders:write', 'customers:read', 'customers:write'];
    const id = await make(scopes, [{ scope: 'projects:read', ago: HOUR }]);
    const hour = Date.now() - (Date.now() % HOUR);
    const use = { keyId: id, tenantId: tenantId(), method: 'GET', endpoint: '/', scope: 'projects:read' };
    const hours = Array.from({ length: 2_000 }, (_, ago) => ({ ...use, hour: hour - (ago + 2) * HOUR }));
    await addKeyUsageHours(
      services().db,
      hours.map((one) => ({ ...one, ok: 1, denied: 0, responseMs: 1 })),
    );
    expect(await wantsAttention(id)).to.equal(true);
    const read = await services().db.transaction(async (trx) => {
      const before = await rowsRead(trx);
      await countAttention(trx, tenantId(), DEFAULT_POLICY, Date.now(), MOST);
      return (await rowsRead(trx)) - before;
    });
    expect(read).to.be.lessThan(1_000);
  });

  /** How many rows this session has read from any index or table. */
  async function rowsRead(trx: Db): Promise<number> {
    const [rows] = (await trx.raw("show session status like 'Handler\\_read\\_%'")) as [{ Value: string }[]];
    return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
  }
});

/** Keys of a tenant that are old enough to be judged, and what the list, its count and a key's own page say of them. */
function keysOf(database: TestDatabase) {
  const { server, acme } = useServer(database);

  async function make(scopes: string[], asked: Asked[]): Promise<string> {
    const { db, config, usage } = server.services;
    const wish = NewKey.parse({ name: 'a key', scopes, expiresInDays: 365 });
    const { key } = await issueKey(systemContext(db, acme.id), config.keys, wish);
    const now = Date.now();
    await db('api_keys')
      .where({ id: key.id })
      .update({ created_at: now - 200 * DAY });
    for (const { scope, ago, statusCode = 200 } of [{ scope: null, ago: 0 }, ...asked] as Asked[]) {
      await usage.record({
        ...{ tenantId: acme.id, keyId: key.id, keyName: 'a key', ip: null, userAgent: null, requestId: null },
        ...{ method: 'GET', endpoint: '/', statusCode, scope, responseMs: 1, at: now - ago },
      });
    }
    await usage.flush();
    return key.id;
  }

  /** The list's, which are as many as are counted. */
  async function listed(): Promise<string[]> {
    const { db } = server.services;
    const now = Date.now();
    const filter = await narrowed(db, acme.id, { attention: 'overscoped', now });
    const rows = matching(db, acme.id, filter);
    const ids = (await rows.select<{ id: string }[]>('api_keys.id')).map((row) => row.id);
    expect((await countAttention(db, acme.id, DEFAULT_POLICY, now, MOST)).overscoped).to.equal(ids.length);
    return ids;
  }

  async function wantsAttention(id: string): Promise<boolean> {
    const { db } = server.services;
    const isListed = (await listed()).includes(id);
    const key = await findApiKey(db, acme.id, id);
    const idle = key ? (await scopeUses(db, key, BUILT_IN, Date.now())).some((scope) => scope.idle) : undefined;
    expect(idle, 'what its own page says').to.equal(isListed);
    return isListed;
  }

  return { make, wantsAttention, listed, services: () => server.services, tenantId: () => acme.id };
}
