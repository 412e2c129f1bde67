import { expect } from 'chai';
import { expectAccessible, useBrowser } from '../../support/browser.ts';
import { addPlayer, as, type Player } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { auditOf, issue, tried } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { pageOf } from '../../support/organisationPages.ts';

const PATH = '/admin/tenants';

onDatabase('sqlite', 'the pages of tenants', (database) => {
  const browser = useBrowser();
  const { server, acme, charlie } = useServer(database);
  let olga: Player;
  before(async () => {
    olga = await addPlayer(server.services, acme, 'Olga', { role: 'MEMBER', operator: true });
  });

  for (const javaScript of [true, false]) {
    it(`create a tenant, and suspend and reactivate another, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      browser.expects(409, 422);
      const name = `Initech ${javaScript ? 'one' : 'two'}`;
      const slug = name.toLowerCase().replace(' ', '-');
      const page = await browser.as(olga, server, PATH, { javaScript });
      await page.getByRole('link', { name: 'New organisation' }).click();
      await page.getByLabel('Name', { exact: true }).fill(name);
      await page.getByLabel('Short name').fill('No Slug');
      await page.getByRole('button', { name: 'Create organisation' }).click();
      expect(await page.getByRole('alert').innerText()).to.include('Short name: Must be 1 to 63 lower-case letters');
      await page.getByLabel('Short name').fill('acme');
      await page.getByRole('button', { name: 'Create organisation' }).click();
      await page.getByText('Another organisation has this short name.').waitFor();
      expect(await page.getByLabel('Name', { exact: true }).inputValue()).to.equal(name);
      await page.getByLabel('Short name').fill('');
      await page.getByRole('button', { name: 'Create organisation' }).click();
      await page.getByText(`${name} is created; its short name is ${slug}.`).waitFor();
      if (javaScript) await expectAccessible(page);

      const key = await issue(server, as(charlie), { name: 'of Globex' });
      await page.getByLabel('Search').fill('globex');
      if (!javaScript) await page.getByRole('button', { name: 'Filter' }).click();
      await page.waitForURL('**q=globex*');
      await page.locator('#tenants').getByText('1–1 of 1').waitFor();
      expect(await page.locator('tbody tr').count()).to.equal(1);
      await page.getByRole('link', { name: 'Suspend Globex' }).click();
      await page.getByText('refused at once').waitFor();
      if (javaScript) await expectAccessible(page);
      await page.getByRole('button', { name: 'Suspend' }).click();
      await page.getByText('Globex is suspended.').waitFor();
      expect(await tried(server, key.key)).to.equal('403 tenant_suspended');
      await page.getByRole('button', { name: 'Reactivate Globex' }).click();
      await page.getByText('Globex is active again.').waitFor();
      expect(await tried(server, key.key)).to.equal('200');
    });
  }

  it('warns an operator who would suspend the organisation they are in', async () => {
    const page = await browser.as(olga, server, `${PATH}/${acme.id}/suspend`, { locale: 'fr' });
    await page.getByText('vous perdrez vous-même l’accès').waitFor();
    await page.getByRole('link', { name: 'Laisser active' }).click();
    await page.waitForURL(`**${PATH}`);
  });

  it('give a new organisation its owner by an invitation link, and let an operator enter it in everyone’s sight', async () => {
    const page = await browser.as(olga, server, `${PATH}/new`);
    await page.getByLabel('Name', { exact: true }).fill('Umbrella');
    await page.getByLabel('Email of its owner').fill('owner@umbrella.example');
    await page.getByRole('button', { name: 'Create organisation' }).click();
    const link = await page.getByLabel('Link to accept').inputValue();
    await expectAccessible(page);
    const invited = await browser.open(server, new URL(link).pathname + new URL(link).search);
    await invited.getByText('Umbrella').first().waitFor();

    await page.goto(`${server.url}${PATH}?q=umbrella`);
    await page.getByRole('link', { name: 'Enter Umbrella' }).click();
    await page.getByText('that an operator entered').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.waitForURL(`**${pageOf({ slug: 'umbrella' }, '/api-keys')}`);
    const umbrella = await server.services.db('tenants').where({ slug: 'umbrella' }).first<{ id: string }>('id');
    const { data } = (await server.get('/api/members', as(olga, umbrella))).body as { data: object[] };
    expect(data).to.have.length(1);
    expect(data[0]).to.deep.include({ name: 'Olga', role: 'OWNER' });
    const [row] = await auditOf(server, as(olga, umbrella), olga.id);
    expect(row).to.deep.include({ action: 'OPERATOR_ENTERED', actorId: olga.id });

    await page.goto(`${server.url}${pageOf({ slug: 'umbrella' }, '/membership/leave')}`);
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByText('You have left Umbrella.').waitFor();
    expect((await server.get('/api/members', as(olga, umbrella))).status).to.equal(403);
  });
});
