import { expect } from 'chai';
import { newId } from '../../app/domain/id.ts';
import { keyStatus, type KeyStatus } from '../../app/domain/keyStatus.ts';
import { MOST_SORTED, pageByPlace } from '../../db/tables/keys/apiKeyList.ts';
import { keyFromRow, type KeyRow } from '../../db/tables/keys/apiKeyFields.ts';
import type { ApiKey } from '../../db/tables/keys/apiKeys.ts';
import { as, PASSWORD } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Key } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';
import { Visitor } from '../support/visitor.ts';
import { acmePage } from '../support/organisationPages.ts';

const MANY = 1_230;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SORTS = ['createdAt', 'name', 'lastUsedAt', 'expiresAt'] as const;

interface Listing {
  data: Key[];
  total: number;
  totalIsAtLeast?: true;
}

/** What a query asks for, said once more in plain code. */
const FILTERS: [query: string, fits: (key: ApiKey, status: KeyStatus) => boolean][] = [
  ['', (_, status) => status !== 'revoked'],
  ['includeRevoked=true', () => true],
  ['status=active', (_, status) => status === 'active'],
  ['status=paused', (_, status) => status === 'paused'],
  ['status=rotating', (_, status) => status === 'rotating'],
  ['status=expired', (_, status) => status === 'expired'],
  ['status=revoked', (_, status) => status === 'revoked'],
  ['environment=test', (key, status) => status !== 'revoked' && key.environment === 'test'],
  ['scope=orders:write', (key, status) => status !== 'revoked' && key.scopes.includes('orders:write')],
  ['scope=files:read', (key, status) => status !== 'revoked' && key.scopes.includes('files:read')],
  ['scope=files:read&status=revoked', (key, status) => status === 'revoked' && key.scopes.includes('files:read')],
  ['q=BULK&includeRevoked=true', () => true],
  ['q=number 7&status=active', (key, status) => status === 'active' && key.name.includes('number 7')],
  ['q=oldest&includeRevoked=true', (key) => key.name.includes('oldest')],
  ['q=CUS_3&environment=live', (key, status) => status !== 'revoked' && isLive(key) && hasExternal(key, 'cus_3')],
  ['q=bulk_live_5', (key, status) => status !== 'revoked' && key.keyPrefix.startsWith('bulk_live_5')],
  ['q=bulk_LIVE_5', () => false],
  ['q=0017&includeRevoked=true', (key) => key.lastFour === '0017'],
  ['q=abcD', (key, status) => status !== 'revoked' && key.lastFour === 'abcD'],
  ['q=ABCD', () => false],
  ['q=bulk_live_17_…0017&includeRevoked=true', (key) => key.keyPrefix === 'bulk_live_17_' && key.lastFour === '0017'],
  ['q=bulk_live_17_...0017&includeRevoked=true', (key) => key.keyPrefix === 'bulk_live_17_'],
  ['q=bulk_live_17_…0018', () => false],
  ['q=no such key', () => false],
  ['q=oldest&scope=orders:write', (key, status) => status !== 'revoked' && isWriting(key) && isOldest(key)],
  [
    'q=bulk&scope=files:read&environment=test',
    (key, status) => status !== 'revoked' && isReadingFiles(key) && !isLive(key),
  ],
];
const isLive = (key: ApiKey) => key.environment === 'live';
const isOldest = (key: ApiKey) => key.name.includes('oldest');
const isWriting = (key: ApiKey) => key.scopes.includes('orders:write');
const isReadingFiles = (key: ApiKey) => key.scopes.includes('files:read');
const hasExternal = (key: ApiKey, text: string) => key.externalId?.includes(text) === true;

onEachDatabase('the list of more than a thousand keys', (database) => {
  const { server, acme, alice, charlie } = useServer(database);
  let keys: ApiKey[];
  before(async () => {
    await addKeys(MANY);
    keys = await allKeys();
  });

  for (const [place, [query, fits]] of FILTERS.entries()) {
    it(`holds every key that fits "${query}" once and in order, page by page, and no other`, async () => {
      const now = Date.now();
      const fitting = keys.filter((key) => fits(key, keyStatus(key, now)));
      for (const sort of place < 2 ? SORTS : [SORTS[place % 4]]) {
        for (const sign of ['', '-']) {
          const seen: string[] = [];
          let listing: Listing;
          do {
            listing = await list(`${query}&sort=${sign}${sort}&limit=100&page=${1 + seen.length / 100}`);
            expect(totalOf(listing)).to.deep.equal(expectedTotal(fitting.length));
            seen.push(...listing.data.map(({ id }) => id));
          } while (listing.data.length === 100);
          expect(seen, `${sign}${sort}`).to.deep.equal(inOrder(fitting, sort ?? 'name', sign === '-'));
        }
      }
    }).timeout(60_000);
  }

  it('holds the same keys of a scope that very many keys have', async () => {
    const scope = 'orders:write';
    const query = `scope=${scope}&q=bulk&limit=100`;
    const before = [await list(query), await list(`${query}&page=12&sort=name`)];
    // Rows without a key, since only their number matters.
    const rows = Array.from({ length: MOST_SORTED }, (_, number) => ({
      tenant_id: acme.id,
      scope,
      key_created_at: number,
      key_id: `none-${number}`,
    }));
    await server.services.db.batchInsert('api_key_scopes', rows, 400);
    try {
      expect([await list(query), await list(`${query}&page=12&sort=name`)]).to.deep.equal(before);
    } finally {
      await server.services.db('api_key_scopes').where('key_id', 'like', 'none-%').delete();
    }
  }).timeout(30_000);

  it('has the same pages where they are read by their place, from whichever end is nearer', async () => {
    const now = Date.now();
    const isRevoked = (key: ApiKey) => keyStatus(key, now) === 'revoked';
    const [revoked, living] = [keys.filter(isRevoked), keys.filter((key) => !isRevoked(key))];
    for (const sort of SORTS) {
      for (const [revokedLast, parts] of [[false, [keys]] as const, [true, [living, revoked]] as const]) {
        const expected = parts.flatMap((part) => inOrder(part, sort, true));
        for (const offset of [0, 100, 580, living.length - 20, 1_200, 2_000]) {
          const page = { sort, descending: true, offset, limit: 50, revokedLast };
          const { ids, total } = await pageByPlace(server.services.db, acme.id, { now }, page);
          expect(ids, `${sort} ${offset} ${revokedLast}`).to.deep.equal(expected.slice(offset, offset + 50));
          expect(total).to.equal(MANY);
        }
      }
    }
  });

  it('says the same total on a page far behind its end', async () => {
    const { length } = keys.filter((key) => keyStatus(key, Date.now()) === 'expired');
    expect(totalOf(await list('page=90000'))).to.deep.equal(expectedTotal(MANY));
    expect(totalOf(await list('page=90000&status=expired'))).to.deep.equal({ total: length });
  });

  it('is paged to its end in the admin interface, revoked keys last, with a total of 1,000+', async () => {
    const visitor = new Visitor(server);
    await visitor.signIn(alice.email, PASSWORD);
    for (const query of ['', '&q=bulk', '&scope=orders:write']) {
      const fitting = keys.filter((key) => query !== '&scope=orders:write' || isWriting(key));
      const revoked = fitting.filter((key) => keyStatus(key, Date.now()) === 'revoked');
      const living = fitting.filter((key) => !revoked.includes(key));
      const seen: string[] = [];
      for (let page = 1; ; page++) {
        const { text: body } = await visitor.get(acmePage(`/api-keys?page=${page}${query}`));
        const ids = [...body.matchAll(/<th scope="row">\s*<a href="[^"]*\/api-keys\/([^"]+)"/g)].map(
          ([, id = '']) => id,
        );
        seen.push(...ids);
        expect(body).to.match(/\d of 1,000\+/);
        expect(body.includes('rel="prev"')).to.equal(page > 1);
        if (!body.includes('rel="next"')) break;
      }
      const order = [living, revoked].flatMap((some) => inOrder(some, 'createdAt', true));
      expect(seen, query).to.deep.equal(order);
    }
  }).timeout(60_000);

  it('is counted to a thousand, and said to be longer from the next one on', async () => {
    const { db } = server.services;
    const now = Date.now();
    const active = keys.filter((key) => keyStatus(key, now) === 'active').map(({ id }) => id);
    for (const count of [999, 1_000, 1_001]) {
      await db('api_keys').update({ environment: 'live' });
      for (let at = 0; at < count; at += 100) {
        await db('api_keys')
          .whereIn('id', active.slice(at, Math.min(at + 100, count)))
          .update({ environment: 'test' });
      }
      for (const query of ['', '&q=bulk', '&page=11&limit=100', '&page=60']) {
        const listing = await list(`environment=test&status=active${query}`);
        expect(totalOf(listing), `${count} ${query}`).to.deep.equal(expectedTotal(count));
      }
    }
  }).timeout(30_000);

  it('is each tenant’s own, also in a search', async () => {
    const { body } = await server.get('/api/api-keys?q=bulk', as(charlie));
    expect(totalOf(body as Listing)).to.deep.equal({ total: 0 });
  });

  async function list(query: string): Promise<Listing> {
    const { status, body, text } = await server.get(`/api/api-keys?${encodeURI(query)}`, as(alice));
    expect(status, text).to.equal(200);
    return body as Listing;
  }

  async function allKeys(): Promise<ApiKey[]> {
    const rows = await server.services.db<KeyRow>('api_keys').where({ tenant_id: acme.id });
    return rows.map(keyFromRow);
  }

  async function addKeys(count: number): Promise<void> {
    const { db } = server.services;
    const now = Date.now();
    const rows = Array.from({ length: count }, (_, number) => {
      const scopes = [...(number < 1_150 ? ['orders:write'] : []), ...(number % 60 === 0 ? ['files:read'] : [])];
      return {
        id: newId(),
        tenant_id: acme.id,
        key_hash: Buffer.from(number.toString(16).padStart(64, '0'), 'hex'),
        key_prefix: `bulk_live_${number}_`,
        last_four: number === 40 ? 'abcD' : String(number).padStart(4, '0'),
        name: `${number % 2 ? 'Bulk' : 'bulk'} ${number % 50}, number ${number % 10}${number < 5 ? ', the oldest' : ''}`,
        external_id: number % 3 === 0 ? `cus_${number}` : null,
        environment: number % 7 === 1 ? 'test' : 'live',
        scopes: JSON.stringify(scopes),
        metadata: '{}',
        // Many at the same moment, so that only the id puts them in order.
        created_at: now - 50 * HOUR + Math.floor(number / 5),
        updated_at: now,
        last_used_at: number % 4 === 0 ? now - (number % 90) * HOUR : null,
        expires_at: number % 9 === 3 ? now + ((number % 5) - 2.5) * DAY : null,
        grace_ends_at: number % 100 === 50 ? now + DAY : null,
        paused_at: number % 40 === 2 ? now - HOUR : null,
        revoked_at: number % 13 === 5 ? now - HOUR : null,
      };
    });
    await db.batchInsert('api_keys', rows, 40);
    const scopes = rows.flatMap(({ id, tenant_id, created_at, scopes: granted }) =>
      (JSON.parse(granted) as string[]).map((scope) => ({ tenant_id, scope, key_created_at: created_at, key_id: id })),
    );
    await db.batchInsert('api_key_scopes', scopes, 100);
  }
});

function totalOf({ total, totalIsAtLeast }: Listing): Pick<Listing, 'total' | 'totalIsAtLeast'> {
  return { total, ...(totalIsAtLeast && { totalIsAtLeast }) };
}

function expectedTotal(count: number): Pick<Listing, 'total' | 'totalIsAtLeast'> {
  return count > 1_000 ? { total: 1_000, totalIsAtLeast: true } : { total: count };
}

/**
 * The ids of keys in an order of the list; those without a value come first, and last the other way round, but those that
 * never end always come last.
 */
function inOrder(keys: readonly ApiKey[], sort: (typeof SORTS)[number], descending: boolean): string[] {
  if (sort === 'expiresAt') {
    const ends = keys.map((key) => ({ ...key, expiresAt: key.graceEndsAt ?? key.expiresAt }));
    const some = ends.filter(({ expiresAt }) => expiresAt !== null);
    const none = ends.filter(({ expiresAt }) => expiresAt === null);
    return [some, none].flatMap((part) => inOrderOf(part, sort, descending));
  }
  return inOrderOf(keys, sort, descending);
}

function inOrderOf(keys: readonly ApiKey[], sort: (typeof SORTS)[number], descending: boolean): string[] {
  const valueOf = (key: ApiKey) => (sort === 'name' ? key.name.toLowerCase() : (key[sort] ?? 0));
  const compare = <T extends string | number>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = [...keys].sort((a, b) => compare(valueOf(a), valueOf(b)) || compare(a.id, b.id));
  return (descending ? sorted.reverse() : sorted).map(({ id }) => id);
}
