import { expect } from 'chai';
import { newId } from '../../../../app/domain/id.ts';
import { KEY_STATUSES } from '../../../../app/domain/keyStatus.ts';
import { KEY_ATTENTIONS } from '../../../../db/tables/keys/apiKeyAttention.ts';
import type { KeyFilter } from '../../../../db/tables/keys/apiKeyFilter.ts';
import { BY_LEAK, SCOPES_START_LENGTH } from '../../../../db/tables/keys/apiKeyIndexes.ts';
import { KEY_SORTS, MOST_SORTED, pageOfApiKeys, type KeyPage } from '../../../../db/tables/keys/apiKeyList.ts';
import { onEachDatabase } from '../../../support/databases.ts';
import { useServer } from '../../../support/useServer.ts';

const SCOPE_OF_MANY = 'orders:read';

/** How a list can be filtered and searched; attention to unused scopes and to leaks is found by other means. */
const FILTERS: Omit<KeyFilter, 'now'>[] = [
  {},
  ...KEY_STATUSES.map((status) => ({ statuses: [status] })),
  ...KEY_ATTENTIONS.filter((one) => one !== 'overscoped' && one !== 'leaked').map((attention) => ({
    attention,
    ...(attention === 'breaking' && { rules: { maxLifetimeDays: 90, requireExpiry: true } }),
  })),
  { environment: 'test' },
  { owner: null },
  { owner: newId(), statuses: ['active'] },
  { endsSoon: true },
  { reach: [{ owners: [null, newId()], scopes: [SCOPE_OF_MANY, '*'] }], statuses: ['active', 'rotating'] },
  { text: 'export' },
  { scope: SCOPE_OF_MANY },
  { scope: SCOPE_OF_MANY, environment: 'live', text: 'ab12', statuses: ['active', 'expired'] },
];

onEachDatabase('the queries of a list of keys', (database) => {
  const { server, acme } = useServer(database);
  before(async () => {
    // Rows without a key, since only their number matters.
    const rows = Array.from({ length: MOST_SORTED + 1 }, (_, number) => ({
      tenant_id: acme.id,
      scope: SCOPE_OF_MANY,
      key_created_at: number,
      key_id: `none-${number}`,
    }));
    await server.services.db.batchInsert('api_key_scopes', rows, 400);
  });

  for (const filter of FILTERS) {
    it(`read an index and no rows of keys for ${JSON.stringify(filter)}, in every order and on every page`, async () => {
      for (const sort of KEY_SORTS) {
        for (const offset of [0, 50_000]) {
          for (const revokedLast of [false, true]) {
            const descending = sort !== 'expiresAt' || revokedLast;
            const page: KeyPage = { sort, descending, offset, limit: 50, revokedLast };
            const queries = await queriesOf({ ...filter, now: Date.now() }, page);
            expect(queries.length).to.be.greaterThan(0);
            for (const query of queries) {
              const planned = await plan(query);
              expect(planned, query.sql).to.match(/Using index(?! condition)|COVERING INDEX/);
              if (isReadInOrder(query, filter)) expect(planned, query.sql).to.not.match(/filesort|FOR ORDER BY/);
            }
          }
        }
      }
    });
  }

  it('find leaked keys, which are few, by the index of their leaks in every order', async () => {
    for (const sort of KEY_SORTS) {
      const page: KeyPage = { sort, descending: true, offset: 0, limit: 50 };
      for (const query of await queriesOf({ attention: 'leaked', now: Date.now() }, page)) {
        expect(await plan(query), query.sql).to.include(BY_LEAK);
      }
    }
  });

  it('find a scope that stands far behind others in the list of a key', async () => {
    const { db } = server.services;
    // More than an index of MySQL has room for.
    const scopes = Array.from({ length: 60 }, (_, number) => `resource-${number}:write`);
    expect(JSON.stringify(scopes.slice(0, 59)).length).to.be.greaterThan(SCOPES_START_LENGTH);
    const last = scopes.at(-1) ?? '';
    const id = newId();
    await db('api_keys').insert({
      id,
      tenant_id: acme.id,
      key_hash: Buffer.alloc(32, 1),
      key_prefix: 'far',
      last_four: '0000',
      name: 'Far behind',
      environment: 'live',
      scopes: JSON.stringify(scopes),
      metadata: '{}',
      created_at: 1,
      updated_at: 1,
    });
    const granted = [last, SCOPE_OF_MANY].map((scope) => ({
      tenant_id: acme.id,
      scope,
      key_created_at: 1,
      key_id: id,
    }));
    await db('api_key_scopes').insert(granted.slice(0, 1));
    // Held by as many that it is looked for in the list of each key.
    const others = Array.from({ length: MOST_SORTED + 1 }, (_, number) => ({
      tenant_id: acme.id,
      scope: last,
      key_created_at: number,
      key_id: `other-${number}`,
    }));
    await db.batchInsert('api_key_scopes', others, 400);
    const page: KeyPage = { sort: 'name', descending: false, offset: 0, limit: 50 };
    const found = await pageOfApiKeys(db, acme.id, { scope: last, now: 2 }, page);
    expect(found.keys.map((key) => key.id)).to.deep.equal([id]);
    const none = await pageOfApiKeys(db, acme.id, { scope: SCOPE_OF_MANY, now: 2 }, page);
    expect(none.keys).to.deep.equal([]);
  });

  /** Whether the keys are read in the order of the list; those of an index of attention are sorted, since they are fewer. */
  function isReadInOrder({ sql }: Query, { attention, endsSoon }: Omit<KeyFilter, 'now'>): boolean {
    return /order by/i.test(sql) && attention !== 'expiring' && attention !== 'unused' && !endsSoon;
  }

  interface Query {
    sql: string;
    bindings: readonly string[];
  }

  /** The queries that look for the keys of a page, without the one that reads these keys. */
  async function queriesOf(filter: KeyFilter, page: KeyPage): Promise<Query[]> {
    const queries: Query[] = [];
    const note = (query: Query) => queries.push(query);
    server.services.db.on('query', note);
    try {
      await pageOfApiKeys(server.services.db, acme.id, filter, page);
    } finally {
      server.services.db.off('query', note);
    }
    return queries.filter(({ sql }) => /\bapi_keys\b/.test(sql) && !/`id` in \(\?/.test(sql));
  }

  async function plan({ sql, bindings }: Query): Promise<string> {
    const isSqlite = database.kind === 'sqlite';
    const answer: unknown = await server.services.db.raw(`explain ${isSqlite ? 'query plan ' : ''}${sql}`, [
      ...bindings,
    ]);
    const rows = (isSqlite ? answer : (answer as unknown[])[0]) as Record<string, unknown>[];
    return JSON.stringify(rows);
  }
});
