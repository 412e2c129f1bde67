import { expect } from 'chai';
import { newId } from '../../app/domain/id.ts';
import { indexFurther } from '../../db/tables/apiKeyParts.ts';
import { as, castOf, type Cast } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { issue, type Key } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';

const NAMES = [
  'Nightly export',
  'nightly import',
  '夜間バックアップ',
  'Émile’s key',
  'rocket 🚀 launch',
  '100% of_it!',
  'aaaaaaaaaaaa',
];
const MANY = 1_230;

interface Listing {
  data: Key[];
  total: number;
}

onEachDatabase('keys of a large tenant', (database) => {
  let server: TestServer;
  let cast: Cast;
  const ids = new Map<string, string>();
  before(async () => {
    server = await startServer(database.env());
    cast = await castOf(server);
    for (const name of NAMES)
      ids.set(name, (await issue(server, as(cast.alice), { name, externalId: `cus_${name.length}` })).id);
    await addMany();
  });
  after(async () => server.stop());

  it('are found by the same words with an index as without', async () => {
    const key = await issue(server, as(cast.alice), { name: 'one more' });
    const words = [
      ...[
        'nightly',
        'NIGHT',
        'y e',
        'ightly i',
        'nightly export',
        'n',
        'ex',
        '夜間',
        'ップ',
        'ク',
        '🚀',
        't 🚀 l',
        '%',
        '_',
        '!',
        '0% of_',
      ],
      ...[
        'aaaa',
        'aaaaaaaaaaa',
        'cus_',
        'us_1',
        'zz',
        'nothing like it',
        'é',
        'Émile',
        key.keyPrefix,
        key.keyPrefix.slice(0, -2),
        key.id,
      ],
      ...['fsk_', "'", '"', '\\', 'bulk 7', 'bulk 1229', 'ulk 11', 'number 5 of the bulk of keys, of which there are'],
    ];
    const found = async () => Promise.all(words.map(async (q) => idsOf(await list({ q, limit: '100', sort: 'name' }))));
    const without = await found();
    expect(without.filter(({ length }) => length === 0)).to.have.length.within(5, 6);
    await index();
    const within = await found();
    for (const [place, word] of words.entries()) expect(within[place], word).to.deep.equal(without[place]);
  });

  it('are found by their new name at once, and no more by the old one', async () => {
    await index();
    const id = ids.get('Nightly export') ?? '';
    await server.patch(`/api/api-keys/${id}`, { name: 'Weekly report', externalId: 'ext-9' }, as(cast.alice));
    for (const again of [false, true]) {
      if (again) await index();
      expect(idsOf(await list({ q: 'weekly' }))).to.deep.equal([id]);
      expect(idsOf(await list({ q: 'xt-9' }))).to.deep.equal([id]);
      expect(idsOf(await list({ q: 'nightly e' }))).to.deep.equal([]);
    }
    const { id: made } = await issue(server, as(cast.alice), { name: 'made just now' });
    expect(idsOf(await list({ q: 'just now' }))).to.deep.equal([made]);
    await server.delete(`/api/api-keys/${made}`, as(cast.alice));
    expect(idsOf(await list({ q: 'just now' }))).to.deep.equal([]);
    expect(idsOf(await list({ q: 'just now', status: 'revoked' }))).to.deep.equal([made]);
  });

  it('are each tenant’s own, also in a search', async () => {
    await index();
    const { body } = await server.get('/api/api-keys?q=bulk', as(cast.charlie));
    expect((body as Listing).total).to.equal(0);
  });

  it('are paged to the end by a total that lies beyond the page as long as there are more', async () => {
    for (const narrowing of [{ q: 'bulk' }, { scope: 'orders:write' }, { environment: 'test' }, {}] as Record<
      string,
      string
    >[]) {
      for (const sort of ['-createdAt', 'name', 'expiresAt', '-lastUsedAt']) {
        const seen: string[] = [];
        let total = Infinity;
        for (let page = 1; seen.length < total; page++) {
          const listing = await list({ ...narrowing, sort, page: String(page), limit: '100' });
          total = listing.total;
          seen.push(...idsOf(listing));
          expect(listing.data.length > 0 || seen.length === total, `${sort} ${page}`).to.equal(true);
        }
        expect(new Set(seen).size).to.equal(seen.length);
        expect(total).to.be.within(MANY, MANY + NAMES.length + 1);
      }
    }
  }).timeout(60_000);

  async function list(query: Record<string, string>): Promise<Listing> {
    const { status, body, text } = await server.get(
      `/api/api-keys?${new URLSearchParams(query).toString()}`,
      as(cast.alice),
    );
    expect(status, text).to.equal(200);
    return body as Listing;
  }

  function idsOf({ data }: Listing): string[] {
    return data.map(({ id }) => id);
  }

  /** As housekeeping does for a tenant with so many keys that this is worth it. */
  async function index(): Promise<void> {
    const { db } = server.services;
    while (await indexFurther(db, cast.acme.id, Date.now() - 1)) continue;
  }

  async function addMany(): Promise<void> {
    const { db } = server.services;
    const at = Date.now() - 50 * 3_600_000;
    const rows = Array.from({ length: MANY }, (_, number) => ({
      id: newId(),
      tenant_id: cast.acme.id,
      key_hash: Buffer.from(number.toString(16).padStart(64, '0'), 'hex'),
      key_prefix: `bulk_live_${number}`,
      last_four: 'abcd',
      name: `bulk ${number}, number ${number % 10} of the bulk of keys, of which there are many`,
      environment: 'test',
      scopes: '["orders:write"]',
      metadata: '{}',
      // Many at the same moment, so that only the id puts them in order.
      created_at: at + (number % 3),
      updated_at: at + (number % 3),
      expires_at: number % 2 === 0 ? null : Date.now() + (number % 5) * 86_400_000 + 1_000_000,
    }));
    await db.batchInsert('api_keys', rows, 40);
    const scopes = rows.map(({ id, tenant_id, created_at }) => ({
      tenant_id,
      scope: 'orders:write',
      key_created_at: created_at,
      key_id: id,
    }));
    await db.batchInsert('api_key_scopes', scopes, 100);
  }
});
