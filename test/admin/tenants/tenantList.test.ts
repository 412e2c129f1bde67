import { expect } from 'chai';
import { newId } from '../../../app/domain/id.ts';
import { addPlayer, PASSWORD } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { explained } from '../../support/plans.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';

const MANY = 120;

onEachDatabase('the list of tenants', (database) => {
  const { server, acme } = useServer(database);
  let operator: Visitor;
  before(async () => {
    const olga = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
    const later = Date.now() + 1_000;
    const rows = Array.from({ length: MANY }, (_, n) => ({
      id: newId(),
      slug: `many-${n}`,
      name: `Many ${n}`,
      external_id: n === 7 ? 'CRM_100%' : null,
      created_at: later + n,
      updated_at: later,
    }));
    await server.services.db.batchInsert('tenants', rows, 50);
    operator = new Visitor(server);
    await operator.signIn(olga.email, PASSWORD);
  });

  const slugs = async (query: string) => {
    const { status, text } = await operator.get(`/admin/tenants?${query}`);
    expect(status).to.equal(200);
    return [...text.matchAll(/<code class="row-note">([^<]+)<\/code>/g)].map(([, slug]) => slug);
  };

  it('is shown page by page, newest first', async () => {
    const pages = [await slugs(''), await slugs('page=2'), await slugs('page=3'), await slugs('page=4')];
    expect(pages.map(({ length }) => length)).to.deep.equal([50, 50, MANY + 2 - 100, 0]);
    const all = pages.flat();
    expect(all.slice(0, 2)).to.deep.equal([`many-${MANY - 1}`, `many-${MANY - 2}`]);
    expect(all.slice(-2)).to.deep.equal(['globex', 'acme']);
  });

  it('is searched by name, slug, external id and id, in any case and to the letter', async () => {
    expect(await slugs('q=MANY+117')).to.deep.equal(['many-117']);
    expect(await slugs('q=GLOB')).to.deep.equal(['globex']);
    expect(await slugs('q=crm_100%25')).to.deep.equal(['many-7']);
    expect(await slugs('q=many_1')).to.deep.equal([]);
    expect(await slugs(`q=${acme.id.toUpperCase()}`)).to.deep.equal(['acme']);
  });

  it('is read through its index, as much of it as is shown', async () => {
    const plans = await explained(server, 'tenants', async () => slugs('page=2'));
    const page = plans.filter(({ sql }) => sql.includes('offset'));
    expect(page).to.have.length(1);
    expect(page[0]).to.include({ sorts: false });
    expect(plans.every(({ sql }) => /limit|count|where/.test(sql))).to.equal(true);
  });
});
