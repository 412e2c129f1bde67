import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { expectAccessible, expectNoOverflow, useBrowser } from '../../support/browser.ts';
import { addPlayer, as, type Player } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

const AUDIT = acmePage('/audit-logs');
const USAGE = acmePage('/usage');

/** Something that narrows or pages a list, the address it leads to, and what the list then shows and shows no more. */
interface Step {
  path: string;
  take: (page: Page) => Promise<unknown>;
  /** Without scripts it has to be sent. */
  isFilter?: true;
  address: RegExp;
  shows: string;
  hides: string;
}

const link = (name: string) => async (page: Page) => page.locator('#main').getByRole('link', { name }).click();
const search = (text: string) => async (page: Page) => page.getByLabel('Search').fill(text);

const STEPS: readonly Step[] = [
  {
    path: AUDIT,
    take: async (page) => page.locator('#action').selectOption('API_KEY_CREATED'),
    isFilter: true,
    address: /audit-logs\?(?:.*&)?action=API_KEY_CREATED/,
    shows: 'Key created',
    hides: 'Member added',
  },
  { path: AUDIT, take: link('Further back'), address: /\?cursor=/, shows: 'First page', hides: 'Key created' },
  { path: acmePage('/members'), take: link('Further back'), address: /\?cursor=/, shows: 'First page', hides: 'Alice' },
  {
    path: acmePage('/routes'),
    take: search('drafts'),
    isFilter: true,
    address: /\?q=drafts/,
    shows: 'builder/drafts',
    hides: 'whoami',
  },
  { path: '/admin/tenants', take: search('glob'), isFilter: true, address: /\?q=glob/, shows: 'Globex', hides: 'Acme' },
  {
    path: acmePage('/tickets'),
    take: link('Closed'),
    address: /\?status=closed$/,
    shows: 'No tickets with this status',
    hides: 'A question',
  },
  { path: USAGE, take: link('30 days'), address: /\?window=30d$/, shows: 'Requests', hides: 'nothing of it' },
  {
    path: acmePage('/api-keys/KEY'),
    take: link('30 days'),
    address: /\?window=30d$/,
    shows: 'Requests',
    hides: 'nothing of it',
  },
  {
    path: acmePage('/api-keys/KEY'),
    take: link('Further back'),
    address: /\?cursor=/,
    shows: 'First page',
    hides: 'nothing of it',
  },
  {
    path: acmePage('/api-keys/KEY'),
    take: async (page) => {
      await link('30 days')(page);
      await page.locator('.tabs [aria-current]', { hasText: '30 days' }).waitFor();
      await link('Further back')(page);
    },
    address: /\?window=30d&cursor=/,
    shows: 'First page',
    hides: 'nothing of it',
  },
  {
    path: acmePage('/api-keys/KEY'),
    take: async (page) => {
      await link('Further back')(page);
      await page.getByRole('link', { name: 'First page' }).waitFor();
      await link('7 days')(page);
    },
    address: /\?window=7d$/,
    shows: 'Further back',
    hides: 'First page',
  },
  { path: acmePage('/api-keys'), take: link('Name'), address: /\?sort=name$/, shows: 'first', hides: 'nothing of it' },
];

onDatabase('sqlite', 'the lists of the admin', (database) => {
  const browser = useBrowser();
  const { server, ...cast } = useServer(database);
  let olga: Player;
  let keyId: string;
  before(async function () {
    this.timeout(30_000);
    olga = await addPlayer(server.services, cast.acme, 'Olga', { role: 'OWNER', operator: true });
    for (let i = 0; i < 100; i++) await addPlayer(server.services, cast.acme, `Member${i}`, { role: 'MEMBER' });
    const alice = as(cast.alice);
    const { key, id } = await issue(server, alice, { name: 'first' });
    keyId = id;
    for (let i = 0; i < 26; i++) await server.get('/api/v1/whoami', { 'x-api-key': key });
    await server.post('/api/support/tickets', { subject: 'A question', message: 'How?' }, alice);
  });

  for (const javaScript of [true, false]) {
    it(`are filtered and paged ${javaScript ? 'without a reload' : 'by whole pages without JavaScript'}`, async function () {
      this.timeout(60_000);
      const page = await browser.as(olga, server, acmePage('/usage'), { javaScript });
      for (const { path, take, isFilter, address, shows, hides } of STEPS) {
        await page.goto(path.replace('KEY', keyId));
        await page.evaluate('window.stayed = true');
        await take(page);
        if (!javaScript && isFilter) await page.getByRole('button', { name: 'Filter' }).click();
        await page.waitForURL(address);
        await page.locator('[data-region]').getByText(shows).first().waitFor();
        expect((await page.locator('[data-region]').allInnerTexts()).join(), path).to.not.include(hides);
        if (javaScript) expect(await page.evaluate('window.stayed'), path).to.equal(true);
      }
    });
  }

  it('say in their place that they could not be loaded, and offer to try again', async function () {
    this.timeout(60_000);
    browser.expects(503);
    const page = await browser.as(olga, server, acmePage('/usage'));
    // All are made by the same few lines.
    for (const { path, take, address, shows } of STEPS.filter((step) => [AUDIT, USAGE].includes(step.path))) {
      await page.goto(path);
      let answer: () => void = () => undefined;
      const waiting = new Promise<void>((resolve) => (answer = resolve));
      await page.route(`**${path}?*`, async (route) => {
        await waiting;
        await route.fulfill({ status: 503, contentType: 'text/html', body: '' });
      });
      await take(page);
      await page.locator('.skeleton').waitFor();
      await page.locator('[data-region]').waitFor({ state: 'hidden' });
      answer();
      const trouble = page.locator('[data-region]').getByRole('alert');
      await trouble.waitFor();
      expect(await trouble.innerText())
        .to.include('This could not be loaded.')
        .and.include('No answer');
      expect(await page.locator('#toasts [data-toast]').count(), path).to.equal(0);
      if (path === USAGE) {
        await expectAccessible(page);
        await page.setViewportSize({ width: 390, height: 844 });
        await expectNoOverflow(page);
        await page.setViewportSize({ width: 1280, height: 900 });
      }
      await page.unroute(`**${path}?*`);
      await page.getByRole('button', { name: 'Retry' }).click();
      await page.waitForURL(address);
      await page.locator('[data-region]').getByText(shows).first().waitFor();
    }
  });

  it('keep the keyboard focus, and offer to clear a filter while one is set', async () => {
    const page = await browser.as(olga, server, acmePage('/tickets'));
    await page.locator('#tickets').getByRole('link', { name: 'Answered' }).press('Enter');
    await page.waitForURL('**?status=answered');
    await page.locator('#tickets a:focus', { hasText: 'Answered' }).waitFor();
    await page.goBack();
    await page.locator('#tickets').getByText('A question').waitFor();
    await page.goto(acmePage('/audit-logs'));
    const clear = page.locator('[data-clear]');
    expect(await clear.isVisible()).to.equal(false);
    await page.locator('#action').selectOption('API_KEY_CREATED');
    await page.waitForURL(`**${acmePage('/audit-logs?action=API_KEY_CREATED')}`);
    await clear.waitFor();
    const taken = page.getByRole('link', { name: 'Export CSV' });
    expect(await taken.getAttribute('href')).to.equal(acmePage('/audit-logs/export?action=API_KEY_CREATED'));
    await clear.click();
    await page.waitForURL(`**${acmePage('/audit-logs')}`);
  });
});
