import { expect } from 'chai';
import { PERMISSIONS } from '../../../app/domain/role.ts';
import { createRoutes } from '../../../app/routes.ts';
import { useBrowser } from '../../support/browser.ts';
import { as, PASSWORD } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

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
      await page.getByRole('button', { name: 'Filter' }).click();
      await page.waitForURL('**q=marketplace*');
      expect(await page.locator('tbody tr').count()).to.equal(2);
      await page.getByLabel('Search').fill('nothing of this kind');
      await page.getByRole('button', { name: 'Filter' }).click();
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
