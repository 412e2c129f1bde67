import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { navigationOf } from '../../../app/admin/shell/navigation.ts';
import { expectAccessible, expectNoOverflow, useBrowser } from '../../support/browser.ts';
import { addPlayer, addTenant, as, joinTenant, type Player } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');

describe('the navigation', () => {
  const link = (id: Parameters<typeof navigationOf>[0][number]['id'], current = false) => ({
    id,
    path: `/${id}`,
    label: id,
    current,
  });

  it('has a menu only where one of its pages opens to the reader', () => {
    const menus = (...sections: ReturnType<typeof link>[]) =>
      navigationOf(sections, (name) => name).menus.map(({ id, sections: own }) => [
        id,
        ...own.map(({ label }) => label),
      ]);
    expect(menus(link('keys'), link('settings'))).to.deep.equal([]);
    expect(menus(link('tickets'), link('billing'))).to.deep.equal([['product', 'billing', 'tickets']]);
    expect(menus(link('scopes'))).to.deep.equal([['operator', 'scopes']]);
  });

  it('marks Settings on each page of the settings, and shows the others beside it', () => {
    const { links, tabs } = navigationOf([link('keys'), link('routes', true), link('settings')], (name) => name);
    expect(links.map(({ path, current }) => [path, current])).to.deep.equal([
      ['/keys', false],
      ['/settings', true],
    ]);
    expect(tabs.map(({ label, current }) => [label, current])).to.deep.equal([
      ['general', false],
      ['routes', true],
    ]);
  });
});

onDatabase('sqlite', 'the header of the admin', (database) => {
  const browser = useBrowser();
  const { server, acme, alice } = useServer(database);
  let olga: Player;
  let many: Player;
  before(async () => {
    olga = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
    many = await addPlayer(server.services, acme, 'Many', { role: 'OWNER' });
    for (let i = 1; i <= 10; i++) {
      await joinTenant(server.services, many, await addTenant(server.services, `Branch ${i}`), { role: 'OWNER' });
    }
  });

  /** How far down the page begins. */
  const begin = async (page: Page) =>
    page.evaluate<number>(`document.querySelector('main').getBoundingClientRect().top`);
  const focused = async (page: Page) => (await page.locator(':focus').innerText()).trim();

  for (const locale of ['en', 'fr'] as const) {
    it(`is one row of links and menus at 1280 for an operator too, which work by keyboard without JavaScript, in ${locale}`, async () => {
      const page = await browser.as(olga, server, acmePage('/routes'), { javaScript: false, locale });
      const row = page.locator('.shell-nav > ul > li');
      expect(await row.count()).to.equal(7);
      const tops = await Promise.all((await row.all()).map(async (one) => (await one.boundingBox())?.y));
      expect(new Set(tops).size).to.equal(1);
      expect(await page.locator('.shell-nav [aria-current]:visible').allInnerTexts()).to.deep.equal([
        locale === 'en' ? 'Settings' : 'Paramètres',
      ]);
      expect(await page.locator('.tabs [aria-current]').allInnerTexts()).to.deep.equal(['Routes']);

      const before = await begin(page);
      await page.locator('[popovertarget=nav-operator]').focus();
      await page.keyboard.press('Enter');
      await page.locator('#nav-operator').waitFor();
      expect(await begin(page)).to.equal(before);
      await expectNoOverflow(page);
      await page.keyboard.press('Escape');
      await page.locator('#nav-operator').waitFor({ state: 'hidden' });
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      expect(await focused(page)).to.equal('Organisations');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/admin/tenants');
      expect(await page.locator('.shell-nav [aria-current]:visible').count()).to.equal(1);
    });
  }

  it('is one line on a phone, whose menu covers the page and moves nothing', async () => {
    const page = await browser.as(olga, server, acmePage('/billing'), { width: 390 });
    const before = await begin(page);
    expect(before).to.be.at.most(56);
    await page.locator('[popovertarget=nav]').click();
    const nav = page.getByRole('navigation', { name: 'Main' });
    await nav.waitFor();
    expect(await begin(page)).to.equal(before);
    expect(await nav.getByRole('link').count()).to.equal(11);
    expect(await nav.locator('[aria-current]:visible').allInnerTexts()).to.deep.equal(['Billing']);
    await expectAccessible(page);
    await expectNoOverflow(page);
    await page.keyboard.press('Escape');
    await nav.waitFor({ state: 'hidden' });
  });

  it('has under 15 stops of the Tab key before the first row of the keys, and arrow keys within its rows of links', async () => {
    await issue(server, as(alice), { name: 'First' });
    const page = await browser.as(alice, server, KEYS);
    const inRow = page.locator('.keys-table tbody :focus');
    let stops = -1;
    do {
      await page.keyboard.press('Tab');
      stops += 1;
    } while ((await inRow.count()) === 0 && stops < 40);
    expect(stops).to.be.below(15);

    const nav = page.locator('.shell-nav');
    await nav.getByRole('link', { name: 'Keys' }).focus();
    await page.keyboard.press('ArrowRight');
    expect(await focused(page)).to.equal('Usage');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    expect(await focused(page)).to.equal('Product');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await focused(page)).to.equal('Marketplace');
  });

  it('closes a menu when the focus leaves it', async () => {
    const page = await browser.as(alice, server, KEYS);
    await page.locator('[popovertarget=nav-product]').press('Enter');
    await page.locator('#nav-product').waitFor();
    await expectAccessible(page);
    for (let i = 0; i < 4; i++) await page.keyboard.press('Tab');
    await page.locator('#nav-product').waitFor({ state: 'hidden' });
  });

  it('finds one of more than ten organisations by its name, and lists all of them without JavaScript', async () => {
    const plain = await browser.as(many, server, KEYS, { javaScript: false });
    await plain.locator('[popovertarget=tenants]').click();
    expect(await plain.locator('#tenants li').count()).to.equal(11);
    expect(await plain.getByLabel('Find an organisation').isVisible()).to.equal(false);

    const page = await browser.as(many, server, KEYS);
    await page.locator('[popovertarget=tenants]').click();
    const search = page.getByLabel('Find an organisation').and(page.locator(':focus'));
    await search.fill('nobody');
    await page.getByText('No organisation has this name').waitFor();
    await search.fill('branch 7');
    expect(await page.locator('#tenants li:visible').allInnerTexts()).to.deep.equal(['Branch 7']);
    await expectAccessible(page);
    await search.press('Enter');
    await page.locator('[popovertarget=tenants]').getByText('Branch 7').waitFor();
  });
});
