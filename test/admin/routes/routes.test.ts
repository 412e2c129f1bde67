import { expect } from 'chai';
import { PERMISSIONS } from '../../../app/domain/role.ts';
import { CATALOGUE } from '../../../app/domain/scopeCatalogue.ts';
import { createRoutes } from '../../../app/routes.ts';
import { useBrowser } from '../../support/browser.ts';
import { addPlayer, as, PASSWORD } from '../../support/cast.ts';
import { onDatabase, onEachDatabase } from '../../support/databases.ts';
import { issue, rotate } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

onEachDatabase('the counts of the page of routes', (database) => {
  const { server, ...cast } = useServer(database);

  it('lead to the list of exactly the keys that open the route', async () => {
    const alice = as(cast.alice);
    const own = { owner: 'user' };
    for (const wish of [
      { scopes: ['*'] },
      { scopes: ['read'], environment: 'test' },
      { scopes: ['projects:write', 'orders:*'] },
      { scopes: ['read:projects'] },
      {
        scopes: Array.from({ length: 60 }, (_, n) => CATALOGUE[n]?.scope ?? 'read').filter(
          (one) => !one.startsWith('platform'),
        ),
      },
      { scopes: ['*'], ...own },
    ]) {
      await issue(server, alice, wish);
    }
    const permissions = ['api-keys:read', 'api-keys:manage'] as const;
    const dora = await addPlayer(server.services, cast.acme, 'Dora', { role: 'MEMBER', permissions: [...permissions] });
    await issue(server, as(dora), { scopes: ['projects:read', 'orders:write'], ...own });
    await rotate(server, alice, (await issue(server, alice, { scopes: ['orders:read'] })).id, {
      gracePeriodSeconds: 3_600,
    });
    const { id: paused } = await issue(server, alice, { scopes: ['*'] });
    await server.post(`/api/api-keys/${paused}/pause`, {}, alice);
    const { id: revoked } = await issue(server, alice, { scopes: ['*'] });
    await server.post(`/api/api-keys/${revoked}/revoke`, {}, alice);
    const visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
    const { text } = await visitor.get(acmePage('/routes'));
    const links = [...text.matchAll(/href="(\/admin\/org\/acme\/api-keys\?route=[^"]+)"[^>]*>(\d+)</g)];
    expect(new Set(links.map(([, , count]) => count)).size).to.be.above(4);
    const asked = new Map(
      links.map(([, path = '', count = '']) => [`${/%2Fv1%2F([^%&]+)/.exec(path)?.[1]} ${count}`, path]),
    );
    for (const [route, path] of asked) {
      const list = await visitor.get(path.replaceAll('&amp;', '&'));
      const total = /class="keys-range" data-said>[^<]* of (\d+)/.exec(list.text)?.[1];
      expect(`${route.split(' ')[0]} ${total}`, path).to.equal(route);
    }
    expect((await visitor.get(acmePage('/api-keys?route=GET+%2Fnowhere'))).status).to.equal(400);
  });
});

onDatabase('sqlite', 'the page of routes', (database) => {
  const browser = useBrowser();
  const { server, ...cast } = useServer(database);
  before(async () => {
    const alice = as(cast.alice);
    await issue(server, alice, { scopes: ['*'] });
    await issue(server, alice, { scopes: ['read'] });
    await issue(server, alice, { scopes: ['projects:write'] });
    const revoked = await issue(server, alice, { scopes: ['*'] });
    await server.post(`/api/api-keys/${revoked.id}/revoke`, {}, alice);
    await issue(server, as(cast.charlie), { scopes: ['*'] });
  });

  for (const javaScript of [true, false]) {
    it(`says of each route what it asks for and how many keys open it, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const page = await browser.as(cast.bob, server, acmePage('/routes'), { javaScript });
      const row = (route: string) => page.getByRole('row').filter({ hasText: route }).first();
      expect(await row('GET /api/v1/projects').innerText()).to.match(/projects:read\s+3$/);
      expect(await row('POST /api/v1/projects').innerText()).to.match(/projects:write\s+2$/);
      // Keys manage no keys unless the policy lets them.
      expect(await row('POST /api/v1/api-keys').innerText()).to.match(/api-keys:manage\s+api-keys:write\s+0$/);
      expect(await row('GET /api/health').innerText()).to.match(/everybody\s+–\s+–$/);
      expect(await page.locator('main').innerText()).not.to.include('GET /api/projects');

      await page.getByLabel('Search').fill('marketplace:install');
      await page.getByLabel('Opens to').selectOption({ label: 'a scope' });
      if (!javaScript) await page.getByRole('button', { name: 'Filter' }).click();
      await page.waitForURL(/q=marketplace.*kind=scope/);
      await page.locator('[data-said]', { hasText: /^2 / }).waitFor();
      expect(await page.locator('tbody tr').count()).to.equal(2);
      await page.getByLabel('Search').fill('nothing of this kind');
      if (!javaScript) await page.getByRole('button', { name: 'Filter' }).click();
      await page.getByRole('heading', { name: 'No route matches' }).waitFor();
    });
  }

  it('says in French what each route does, and is narrowed to what staff opens', async () => {
    const bob = new Visitor(server, { 'Accept-Language': 'fr' });
    await bob.signIn(cast.bob.email, PASSWORD);
    const { text } = await bob.get(acmePage('/routes'));
    expect(text).to.include('<span class="row-note">Crée une clé');
    const untranslated = [...text.matchAll(/class="row-note" lang="en">([^<]*)</g)].map(([, sentence]) => sentence);
    expect(untranslated, 'sentences to be added to app/admin/routes/summaries.ts').to.deep.equal([]);
    const { text: theirs } = await bob.get(acmePage('/routes?kind=basic'));
    expect(theirs).to.include('<option value="basic" selected>l’équipe d’assistance').and.include('/metrics</code>');
  });

  it('has a route for every permission that a person can be given', () => {
    const asked = createRoutes(server.services).table.map(
      ({ access }) => access.kind === 'permission' && access.permission,
    );
    expect(asked).to.include.members([...PERMISSIONS]);
  });
});
