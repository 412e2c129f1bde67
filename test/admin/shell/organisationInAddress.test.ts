import { expect } from 'chai';
import { createRoutes } from '../../../app/routes.ts';
import type { Route } from '../../../app/http/table.ts';
import { useBrowser } from '../../support/browser.ts';
import { addPlayer, addTenant, as, joinTenant, PASSWORD, type Player } from '../../support/cast.ts';
import { onDatabase, onEachDatabase } from '../../support/databases.ts';
import type { Answer } from '../../support/http.ts';
import { issue } from '../../support/keys.ts';
import { acmePage, pageOf } from '../../support/organisationPages.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';

const OLD = '/admin/api-keys';

onEachDatabase('the address of a page', (database) => {
  const { server, acme, globex, ...cast } = useServer(database);
  /** Owner of Acme and of Globex. */
  let dana: Player;
  before(async () => {
    dana = await addPlayer(server.services, acme, 'Dana', { role: 'OWNER' });
    await joinTenant(server.services, dana, globex, { role: 'OWNER' });
  });

  async function signedIn(person: { email: string }): Promise<Visitor> {
    const visitor = new Visitor(server);
    expect((await visitor.signIn(person.email, PASSWORD)).status).to.equal(303);
    return visitor;
  }

  /** Follows redirects, and says where they end. */
  async function led(visitor: Visitor, from: string): Promise<{ path: string; status: number }> {
    let path = from;
    for (let step = 0; step < 5; step++) {
      const { status, headers } = await visitor.get(path);
      if (status !== 303) return { path, status };
      path = headers.location ?? '';
    }
    throw new Error(`${from} leads on and on`);
  }

  async function namesIn({ id }: { id: string }): Promise<string[]> {
    return server.services.db('api_keys').where({ tenant_id: id }).pluck('name');
  }

  it('decides the organisation of a form, whichever one was opened last in another tab', async () => {
    const visitor = await signedIn(dana);
    const form = pageOf(acme, '/api-keys/new');
    expect((await visitor.get(form)).text).to.include(`action="${form}"`);
    expect((await visitor.get(pageOf(globex, '/api-keys'))).status).to.equal(200);
    const fields = { name: 'Made in the first tab', scopes: 'read', environment: 'live', expires: '30' };
    expect((await visitor.submit(form, fields)).text).to.match(/fsk_live_\w{32}/);
    expect(await namesIn(acme)).to.include('Made in the first tab');
    expect(await namesIn(globex)).to.not.include('Made in the first tab');
  });

  it('opens a key of any of one’s organisations, and no key below another organisation than its own', async () => {
    const visitor = await signedIn(dana);
    const key = await issue(server, as(dana, globex), { name: 'Of Globex' });
    expect((await visitor.get(pageOf(acme, '/api-keys'))).text).to.not.include('Of Globex');
    expect((await visitor.get(pageOf(globex, `/api-keys/${key.id}`))).text).to.include('Of Globex');
    const other = await visitor.get(pageOf(acme, `/api-keys/${key.id}`));
    expect([other.status, other.text.includes('Of Globex')]).to.deep.equal([404, false]);
    expect((await visitor.submit(pageOf(acme, `/api-keys/${key.id}/revoke`))).status).to.equal(404);
  });

  it('links only to pages of its own organisation, but for the switch', async () => {
    const visitor = await signedIn(dana);
    const { text } = await visitor.get(pageOf(globex, '/api-keys'));
    const links = [...text.matchAll(/(?:href|action|hx-get|hx-post)="(\/admin[^"]*)"/g)].map(([, link]) => link);
    expect(links.length).to.be.above(10);
    expect(links.filter((link) => !link?.startsWith(pageOf(globex)))).to.deep.equal([pageOf(acme)]);
    expect(await led(visitor, pageOf(acme))).to.deep.equal({ path: pageOf(acme, '/api-keys'), status: 200 });
  });

  it('is not found of an organisation of others, just as of one that does not exist', async () => {
    const visitor = await signedIn(cast.alice);
    const token = await visitor.csrf();
    const told = ({ status, text }: Answer, { slug }: { slug: string }) => ({
      status,
      text: text.replaceAll(slug, 'SLUG').replace(/<code>[^<]+<\/code>/, ''),
    });
    for (const { method, path } of routesOfOrganisations()) {
      const ask = async (slug: string) => {
        const address = path.replace(':slug', slug).replace(/:\w+/, cast.charlie.id);
        const answer = method === 'GET' ? visitor.get(address) : visitor.post(address, { _csrf: token, name: 'x' });
        return told(await answer, { slug });
      };
      const theirs = await ask(globex.slug);
      expect(theirs.status, `${method} ${path}`).to.equal(404);
      expect(theirs.text, path).to.not.include('Globex').and.not.include(cast.charlie.email);
      expect(theirs, `${method} ${path}`).to.deep.equal(await ask('no-such-organisation'));
    }
    for (const slug of ['ACME', '%61cme', acme.id]) {
      expect((await visitor.get(pageOf({ slug }, '/api-keys'))).status, slug).to.equal(404);
    }
    const rows: unknown = await server.services
      .db('audit_logs')
      .where({ tenant_id: globex.id, actor_id: cast.alice.id });
    expect(rows).to.deep.equal([]);
  });

  it('leads to the login who is not signed in, whether or not the organisation exists', async () => {
    for (const slug of [acme.slug, 'no-such-organisation']) {
      const address = pageOf({ slug }, '/usage?window=24h');
      const { status, headers } = await new Visitor(server).get(address);
      expect([status, headers.location]).to.deep.equal([303, `/login?next=${encodeURIComponent(address)}`]);
    }
  });

  it('says of a suspended organisation that it is, and opens one’s others', async () => {
    const visitor = await signedIn(dana);
    const suspended = await addTenant(server.services, 'Sleeping');
    await joinTenant(server.services, dana, suspended, { role: 'OWNER' });
    await server.services.db('tenants').where({ id: suspended.id }).update({ status: 'suspended' });
    const { status, text } = await visitor.get(pageOf(suspended, '/api-keys'));
    expect([status, text.includes('This organisation is suspended')]).to.deep.equal([403, true]);
    expect((await visitor.get(pageOf(acme, '/api-keys'))).status).to.equal(200);
  });

  it('without an organisation leads to the one used last, be it an address from before with its query', async () => {
    const visitor = await signedIn(dana);
    const key = await issue(server, as(dana, globex), { name: 'From a message' });
    const session = () =>
      server.services.db('sessions').where({ user_id: dana.id }).orderBy('id', 'desc').first('tenant_id');
    for (const organisation of [globex, acme, globex]) {
      await visitor.get(pageOf(organisation, '/usage'));
      expect(await session()).to.deep.equal({ tenant_id: organisation.id });
      for (const start of ['/', '/admin', OLD, '/settings/api-keys']) {
        expect(await led(visitor, start), start).to.deep.equal({
          path: pageOf(organisation, '/api-keys'),
          status: 200,
        });
      }
    }
    for (const [old, now] of [
      [`${OLD}/${key.id}?window=7d`, `/api-keys/${key.id}?window=7d`],
      [`${OLD}?q=a%20b&status=active`, '/api-keys?q=a%20b&status=active'],
      ['/admin/security', '/settings'],
      ['/admin/audit-logs?action=API_KEY_CREATED', '/audit-logs?action=API_KEY_CREATED'],
      ['/admin/members/new', '/members/new'],
      ['/admin/membership/leave', '/membership/leave'],
      ['/admin/billing', '/billing'],
    ] as const) {
      expect(await led(visitor, old), old).to.deep.equal({ path: pageOf(globex, now), status: 200 });
    }
    expect((await visitor.get(`${OLD}//evil.example`)).headers.location).to.equal(
      pageOf(globex, '/api-keys//evil.example'),
    );
    for (const old of [`${OLD}/revoke`, `${OLD}/${key.id}/revoke`, '/admin/tenant']) {
      expect((await visitor.submit(old, { id: key.id })).status, old).to.be.oneOf([404, 405]);
    }
    expect((await visitor.get(pageOf(globex, `/api-keys/${key.id}`))).text).to.not.include('status-revoked');
  });

  it('is remembered when a page is opened, and not when a form or a part of a page is asked for', async () => {
    const visitor = await signedIn(dana);
    await visitor.get(pageOf(globex, '/usage'));
    await visitor.get(pageOf(acme, '/usage'), { 'HX-Request': 'true' });
    await visitor.submit(pageOf(acme, '/settings/password'));
    expect(await led(visitor, '/')).to.include({ path: pageOf(globex, '/api-keys') });
  });

  function routesOfOrganisations(): Route[] {
    const routes = createRoutes(server.services).table.filter(({ path }) => path.startsWith('/admin/org/'));
    expect(routes.length).to.be.above(40);
    return routes;
  }
});

onDatabase('sqlite', 'two tabs with two organisations', (database) => {
  const browser = useBrowser();
  const { server, acme, globex } = useServer(database);

  for (const javaScript of [true, false]) {
    it(`act each in its own, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const name = javaScript ? 'Erin' : 'Faye';
      const person = await addPlayer(server.services, acme, name, { role: 'OWNER' });
      await joinTenant(server.services, person, globex, { role: 'OWNER' });
      const first = await browser.as(person, server, acmePage('/api-keys/new?name=First'), { javaScript });
      const second = await first.context().newPage();
      await second.goto(acmePage('/usage'));
      await second.locator('[popovertarget=tenants]').click();
      await second.locator('#tenants').getByRole('link', { name: 'Globex' }).click();
      await second.waitForURL(`**${pageOf(globex, '/api-keys')}`);
      await first.getByRole('button', { name: 'Create key' }).click();
      await first.getByLabel('I have copied my key').check();
      await first.getByRole('button', { name: 'Done' }).click();
      await first.waitForURL(`**${acmePage('/api-keys')}#key-*`);
      await second.reload();
      expect(await second.locator('.keys-table').count()).to.equal(0);
      await first.getByRole('link', { name: 'Latchkey' }).click();
      await first.waitForURL(`**${acmePage('/api-keys')}`);
      const { id } = await server.services.db('api_keys').where({ name: 'First' }).first<{ id: string }>('id');
      await server.services
        .db('api_keys')
        .where({ id })
        .update({ name: `First of ${name}` });
    });
  }
});
