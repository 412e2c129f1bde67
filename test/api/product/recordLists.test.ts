import { expect } from 'chai';
import { addPlayer, addTenant, as } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import type { Answer, Headers } from '../../support/http.ts';
import { refusal } from '../../support/keys.ts';
import { explained, type Explained } from '../../support/plans.ts';
import { useServerWithoutCast } from '../../support/useServer.ts';

interface Kept {
  id: string;
  name: string;
  createdAt: string;
}

onEachDatabase('a list of records', (database) => {
  const server = useServerWithoutCast(database);
  let owner: Headers;
  let tenantId: string;

  before(async () => {
    const tenant = await addTenant(server.services, 'Large');
    owner = as(await addPlayer(server.services, tenant, 'Olga', { role: 'OWNER' }));
    tenantId = tenant.id;
    await fill(tenantId, 10_000);
    await fill((await addTenant(server.services, 'Beside')).id, 1_000);
  });

  it('of 10,000 is read to its end, each record once, the newest first', async () => {
    const seen = await walk('/api/orders?limit=100');
    expect(seen.length).to.equal(10_000);
    expect(new Set(seen.map(({ id }) => id)).size).to.equal(10_000);
    const order = seen.map(({ createdAt, id }) => createdAt + id);
    expect(order).to.deep.equal([...order].sort().reverse());
  });

  it('is filtered by each of its fields, and by all at once', async () => {
    const all = `status=paid&customerId=${CUSTOMERS[93] ?? ''}`;
    expect(await walk(`/api/orders?limit=7&${all}`)).to.have.length(100);
    expect(await walk(`/api/orders?${all.replace('paid', 'open')}`)).to.deep.equal([]);
    // What means anything to a database means itself: an underscore is no other character.
    const found = await walk(`/api/orders?${all}&q=${encodeURIComponent('AFé 93_')}`);
    expect(found.map(({ name }) => name)).to.deep.equal(['Café 93_']);
    expect((await walk('/api/orders?limit=100&status=paid')).length).to.equal(2_500);
    expect(await walk('/api/orders?q=100%25')).to.deep.equal([]);
    expect(listed(await server.get('/api/orders?q=', owner))).to.deep.equal(
      listed(await server.get('/api/orders', owner)),
    );
  });

  it('finds every page through an index, without sorting', async () => {
    for (const filter of ['', '&status=paid', `&customerId=${CUSTOMERS[3] ?? ''}`]) {
      const first = await server.get(`/api/orders?limit=50${filter}`, owner);
      const cursor = (first.body as { nextCursor: string }).nextCursor;
      const plans: Explained[] = [];
      for (const page of ['', `&cursor=${cursor}`]) {
        plans.push(
          ...(await explained(server, 'records', async () =>
            server.get(`/api/orders?limit=50${filter}${page}`, owner),
          )),
        );
      }
      expect(plans).to.have.length(2);
      for (const plan of plans) expect(plan, filter).to.include({ scans: false, sorts: false });
    }
  });

  it('goes on only where it was left: a cursor of another list, filter or tenant is 400', async () => {
    const cursorOf = async (path: string) =>
      ((await server.get(path, owner)).body as { nextCursor: string }).nextCursor;
    const cursor = await cursorOf('/api/orders?limit=1&status=paid');
    const unfiltered = await cursorOf('/api/orders?limit=1');
    refusal(await server.get(`/api/projects?cursor=${unfiltered}`, owner), 400, 'invalid_query');
    expect((await server.get(`/api/orders?limit=5&status=paid&cursor=${cursor}`, owner)).status).to.equal(200);
    const outsider = as(
      await addPlayer(server.services, await addTenant(server.services, 'Other'), 'Otto', { role: 'OWNER' }),
    );
    for (const [path, headers] of [
      ['/api/orders?', owner],
      ['/api/orders?status=open&', owner],
      ['/api/orders?status=paid&q=x&', owner],
      ['/api/projects?', owner],
      ['/api/orders?status=paid&', outsider],
    ] as const) {
      expect(refusal(await server.get(`${path}cursor=${cursor}`, headers), 400, 'invalid_query')).to.deep.equal([
        'cursor',
      ]);
    }
  });

  async function walk(path: string): Promise<Kept[]> {
    const seen: Kept[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const answer = await server.get(`${path}${cursor && `&cursor=${cursor}`}`, owner);
      seen.push(...listed(answer));
      cursor = (answer.body as { nextCursor: string | null }).nextCursor;
    }
    return seen;
  }

  /** Straight into the table, many of them of the same moment. */
  async function fill(tenant: string, count: number): Promise<void> {
    const { db } = server.services;
    const rows = Array.from({ length: count }, (_, i) => rowOf(tenant, i));
    for (let at = 0; at < count; at += 500) await db('records').insert(rows.slice(at, at + 500));
    if (database.kind === 'mysql') await db.raw('analyze table records');
  }
});

const STATUSES = ['open', 'paid', 'shipped', 'cancelled'];
const CUSTOMERS = Array.from(
  { length: 100 },
  (_, i) => `01890000-0000-7000-8000-0000000000${String(i).padStart(2, '0')}`,
);

function nameOf(i: number): string {
  return `Café ${i}_`;
}

function rowOf(tenantId: string, i: number) {
  const [status = '', customerId = ''] = [STATUSES[i % 4], CUSTOMERS[i % 100]];
  const createdAt = 1_700_000_000_000 + Math.floor(i / 7);
  return {
    id: `0189${tenantId.slice(-4)}-${String(i % 9973).padStart(4, '0')}-7000-8000-${String(i).padStart(12, '0')}`,
    tenant_id: tenantId,
    resource: 'orders',
    name: nameOf(i),
    status,
    reference: customerId,
    data: JSON.stringify({ name: nameOf(i), customerId, status, items: [], total: null }),
    created_at: createdAt,
    updated_at: createdAt,
  };
}

function listed({ status, body, text }: Answer): Kept[] {
  expect(status, text).to.equal(200);
  return (body as { data: Kept[] }).data;
}
