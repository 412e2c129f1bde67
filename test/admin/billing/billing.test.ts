import { expect } from 'chai';
import { expectAccessible, useBrowser } from '../../support/browser.ts';
import { addPlayer, as, PASSWORD } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue, rotate } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

const PATH = acmePage('/billing');

onDatabase('sqlite', 'the page of billing', (database) => {
  const browser = useBrowser();
  const { server, acme, alice, bob } = useServer(database);

  const planOf = async () => ((await server.get('/api/billing', as(alice))).body as { plan: string }).plan;

  for (const [javaScript, plan, name] of [
    [true, 'pro', 'Pro'],
    [false, 'starter', 'Starter'],
  ] as const) {
    it(`orders a plan, which waits until it is confirmed, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const before = await planOf();
      const page = await browser.as(alice, server, PATH, { javaScript });
      await page.getByRole('button', { name: `Order ${name}` }).click();
      await page.getByRole('heading', { name: `${name} awaits confirmation` }).waitFor();
      expect(await planOf()).to.equal(before);
      if (javaScript) await expectAccessible(page);
      await page.getByRole('link', { name: 'Confirm order' }).click();
      await page.getByText('its limits apply at once').waitFor();
      if (javaScript) await expectAccessible(page);
      await page.getByRole('button', { name: 'Confirm order' }).click();
      await page.getByText(`The plan is now ${name}.`).waitFor();
      expect(await planOf()).to.equal(plan);
      expect(await page.locator('.figures').innerText()).to.include(name);
    });
  }

  it('withdraws an order at a press of a button', async () => {
    await server.post('/api/billing/checkout', { plan: 'business' }, as(alice));
    const page = await browser.as(alice, server, PATH);
    await page.getByRole('button', { name: 'Withdraw order' }).click();
    await page.getByText('The order of Business was withdrawn.').waitFor();
    expect(await page.getByRole('heading', { name: 'awaits confirmation' }).count()).to.equal(0);
    expect(await page.getByRole('button', { name: 'Order Business' }).count()).to.equal(1);
  });

  it('says that an order is no longer pending when another one has replaced it', async () => {
    const order = async (plan: string) =>
      (await server.post('/api/billing/checkout', { plan }, as(alice))).body as { id: string };
    const { id } = await order('business');
    await order('pro');
    const page = await browser.as(alice, server, `${PATH}/checkouts/${id}/confirm`);
    await page.getByText('This order is no longer pending').waitFor();
  });

  it('counts keys that work as the page of routes does, and says how many count towards the plan', async () => {
    const { id } = await issue(server, as(alice), { scopes: ['*'] });
    await rotate(server, as(alice), id, { gracePeriodSeconds: 3_600 });
    const away = await addPlayer(server.services, acme, 'Away', { role: 'OWNER' });
    for (let i = 0; i < 2; i++) await issue(server, as(away), { owner: 'user' });
    await server.services.db('users').where({ id: away.id }).update({ status: 'disabled' });
    await server.services.db('tenants').where({ id: acme.id }).update({ plan: 'starter' });
    const visitor = new Visitor(server);
    await visitor.signIn(alice.email, PASSWORD);
    const { text: routes } = await visitor.get(acmePage('/routes?q=GET+/api/v1/whoami'));
    const open = /<td class="num"[^>]*>\s*(?:<a[^>]*>)?(\d+)/.exec(routes)?.[1];
    const { text } = await visitor.get(PATH);
    expect(/Working keys<\/p>\s*<p class="figure-value">(\d+)/.exec(text)?.[1])
      .to.equal(open)
      .and.equal('2');
    expect(text).to.include('3 count towards the plan');
  });

  it('shows the plan to those who cannot change it, and refuses their order', async () => {
    const page = await browser.as(bob, server, PATH);
    await page.getByText('Only owners change the plan.').waitFor();
    expect(await page.getByRole('button', { name: 'Order' }).count()).to.equal(0);
    expect(await page.getByRole('link', { name: 'Confirm order' }).count()).to.equal(0);
  });
});
