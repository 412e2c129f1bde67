import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { systemContext } from '../../../app/actions/actionContext.ts';
import { issueKey } from '../../../app/actions/keys/issueKey.ts';
import { NewKey } from '../../../app/domain/keyInput.ts';
import { CATALOGUE } from '../../../app/domain/scopeCatalogue.ts';
import { expectAccessible, expectToFit, expectWellInBothThemes, useBrowser } from '../../support/browser.ts';
import { addPlayer, as, PASSWORD, type Player } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { row } from '../../support/keyPages.ts';
import { issue, rotate } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage, pageOf } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');
const THEIRS = pageOf({ slug: 'globex' }, '/api-keys');
const DAY_MS = 86_400_000;
const MARKUP = '<img src=x onerror=alert(1)>';
const LONG = 'Name'.padEnd(100, ' of a hundred characters');
const HEBREW = 'מפתח לייצוא 🚀';

onDatabase('sqlite', 'the list of keys in a browser', (database) => {
  const browser = useBrowser();
  const { server, acme, globex, alice, charlie } = useServer(database);
  let dora: Player;
  const ids = new Map<string, string>();

  async function make(owner: Player, wish: { name: string } & Record<string, unknown>): Promise<string> {
    const { db, config } = server.services;
    const { key } = await issueKey(systemContext(db, owner.tenant.id), config.keys, NewKey.parse(wish));
    ids.set(wish.name, key.id);
    return key.id;
  }

  /** Makes a key older than it is. */
  async function age(name: string, columns: Record<string, unknown>): Promise<void> {
    await server.services
      .db('api_keys')
      .where({ id: ids.get(name) })
      .update(columns);
  }

  before(async () => {
    dora = await addPlayer(server.services, acme, 'Dora', { role: 'MEMBER', permissions: ['api-keys:read'] });
    const now = Date.now();
    const forty = CATALOGUE.filter(({ group }) => group !== 'platform').slice(0, 40);
    await make(alice, { name: LONG, scopes: forty.map(({ scope }) => scope) });
    await make(alice, { name: HEBREW, environment: 'test', expiresInDays: 5 });
    await make(alice, { name: MARKUP, description: MARKUP, scopes: ['*'] });
    await make(alice, { name: 'Forgotten', scopes: ['read'], expiresInDays: 365 });
    await age('Forgotten', { created_at: now - 200 * DAY_MS, last_used_at: now - 100 * DAY_MS });
    await make(alice, { name: 'Over-scoped', scopes: ['read', 'orders:write'], expiresInDays: 365 });
    const use = { tenantId: acme.id, keyId: ids.get('Over-scoped') ?? '', keyName: '', at: now, requestId: '' };
    const request = { method: 'GET', endpoint: '/api/v1/projects', scope: 'projects:read', statusCode: 200 };
    await server.services.usage.record({ ...use, ...request, ip: '192.0.2.1', userAgent: 'cron', responseMs: 3 });
    await server.services.usage.flush();
    await age('Over-scoped', { created_at: now - 200 * DAY_MS });
    for (let n = 1; n <= 52; n++) await make(charlie, { name: `Key ${String(n).padStart(2, '0')}` });
  });

  const names = (page: Page) => page.locator('.keys-table tbody th a').allInnerTexts();
  const path = (page: Page) => decodeURIComponent(page.url().replace(server.url, ''));

  for (const javaScript of [true, false]) {
    describe(javaScript ? 'with JavaScript' : 'without JavaScript', () => {
      /** Narrows the list, by the button where nothing else does. */
      async function narrow(page: Page, change: () => Promise<unknown>, awaited: string): Promise<void> {
        await change();
        if (!javaScript) await page.getByRole('button', { name: 'Filter' }).click();
        await page.waitForURL((url) => url.search.includes(awaited));
      }

      it('is searched, filtered, sorted and paged by the query of its address', async () => {
        const page = await browser.as(charlie, server, THEIRS, { javaScript });
        expect(await names(page)).to.have.length(50);
        expect(await page.locator('.keys-range').innerText()).to.equal('1–50 of 52');
        await page.getByRole('link', { name: 'Next' }).click();
        await page.waitForURL('**/*page=2');
        expect(await names(page)).to.deep.equal(['Key 02', 'Key 01']);
        await page.getByRole('link', { name: 'Name' }).click();
        await page.waitForURL('**/*sort=name');
        expect((await names(page))[0]).to.equal('Key 01');
        expect(await page.getByRole('columnheader', { name: 'Name' }).getAttribute('aria-sort')).to.equal('ascending');
        await page.getByRole('link', { name: 'Name' }).click();
        await page.waitForURL('**/*sort=-name');
        expect((await names(page))[0]).to.equal('Key 52');

        await narrow(page, async () => page.getByLabel('Search').fill('Key 4'), 'q=Key+4');
        await page.locator('.keys-range', { hasText: '1–10 of 10' }).waitFor();
        expect((await names(page))[0]).to.equal('Key 49');
        await narrow(page, async () => page.getByLabel('Environment').selectOption('test'), 'environment=test');
        await page.getByRole('heading', { name: 'No key matches' }).waitFor();
        expect(path(page)).to.equal(
          javaScript
            ? `${THEIRS}?q=Key+4&environment=test&sort=-name`
            : `${THEIRS}?q=Key+4&status=&scope=&environment=test&sort=-name`,
        );
        await page.locator('#keys').getByRole('link', { name: 'Clear filters' }).click();
        await page.locator('.keys-range', { hasText: '1–50 of 52' }).waitFor();
      });

      it('lists the keys that need attention', async () => {
        const page = await browser.as(alice, server, KEYS, { javaScript });
        const strip = page.getByRole('list', { name: 'Worth a look' });
        expect((await strip.innerText()).replace(/\s+/g, ' ')).to.equal(
          '1 expires within 7 days 1 unused for 90 days 2 never expire 1 has scopes never used',
        );
        for (const [link, expected] of [
          ['expires within 7 days', [HEBREW]],
          ['unused for 90 days', ['Forgotten']],
          ['never expire', [MARKUP, LONG]],
          ['has scopes never used', ['Over-scoped']],
        ] as const) {
          await strip.getByRole('link', { name: link }).click();
          await page.locator(`.strip a[aria-current]`, { hasText: link }).waitFor();
          expect(await names(page)).to.deep.equal(expected);
        }
        await page.locator('.keys-table tbody th a').click();
        await page.getByRole('heading', { name: 'One scope never used in 90 days' }).waitFor();
        await page.getByRole('button', { name: 'Remove orders:write' }).click();
        await page.getByText('One scope was removed from Over-scoped.').waitFor();
        const removed = await server.services
          .db('api_keys')
          .where({ id: ids.get('Over-scoped') })
          .first<{ scopes: string }>();
        expect(removed.scopes).to.equal('["read"]');
        await server.services
          .db('api_keys')
          .where({ id: ids.get('Over-scoped') })
          .update({ scopes: '["read","orders:write"]' });
        await server.services.db('api_key_scopes').insert({
          tenant_id: acme.id,
          scope: 'orders:write',
          key_created_at: 0,
          key_id: ids.get('Over-scoped'),
        });
      });

      it('revokes several at once, after naming them', async () => {
        const chosen = [1, 2].map((n) => `Bulk ${String(javaScript)} ${n}`);
        for (const name of chosen) await make(alice, { name });
        const page = await browser.as(alice, server, `${KEYS}?q=Bulk+${String(javaScript)}`, { javaScript });
        const revoke = page.getByRole('button', { name: 'Revoke selected…' });
        expect(await revoke.isVisible(), 'before the first tick').to.equal(!javaScript);
        if (!javaScript) {
          await revoke.click();
          await page.getByText('Select at least one key first.').waitFor();
        }
        for (const name of chosen) await page.getByLabel(`Select ${name}`).check();
        await page.getByRole('button', { name: 'Revoke selected…' }).click();
        const asked = page.locator('#revoke-some');
        for (const name of chosen) expect(await asked.innerText()).to.include(name);
        expect(await asked.innerText()).to.include('never');
        await asked.getByRole('button', { name: 'Revoke 2 keys' }).click();
        await page.getByText('2 keys were revoked.').waitFor();
        expect(await page.locator('.keys-table .gone').count()).to.equal(2);
        await page.goto(KEYS);
        // The newest of all, and yet the last.
        expect(await page.locator('tr:last-child.gone, tr:nth-last-child(2).gone').count()).to.equal(2);
      });
    });
  }

  for (const javaScript of [true, false]) {
    it(`keeps the order of a list whose filter is cleared, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const page = await browser.as(charlie, server, `${THEIRS}?q=Key+4`, { javaScript });
      await page.getByRole('link', { name: 'Name' }).click();
      await page.waitForURL('**/*sort=name');
      await page.getByRole('search').getByRole('link', { name: 'Clear filters' }).click();
      await page.locator('.keys-range', { hasText: '1–50 of 52' }).waitFor();
      expect(path(page)).to.equal(`${THEIRS}?sort=name`);
      await page.goto(`${THEIRS}?q=nothing+such&sort=name`);
      await page.locator('#keys').getByRole('link', { name: 'Clear filters' }).click();
      await page.locator('.keys-range', { hasText: '1–50 of 52' }).waitFor();
      expect(path(page)).to.equal(`${THEIRS}?sort=name`);
    });
  }

  it('says that there is no such page, and leads to the last one', async () => {
    const page = await browser.as(charlie, server, `${THEIRS}?page=99&sort=name`);
    await page.getByRole('heading', { name: 'There is no page 99' }).waitFor();
    await page.getByText('The list has 2 pages.').waitFor();
    await page.getByRole('link', { name: 'Go to the last page' }).click();
    await page.locator('.keys-range', { hasText: '51–52 of 52' }).waitFor();
    expect(path(page)).to.equal(`${THEIRS}?page=2&sort=name`);
    await page.goto(`${THEIRS}?page=99&q=nothing+such`);
    await page.getByRole('heading', { name: 'No key matches' }).waitFor();
  });

  for (const javaScript of [true, false]) {
    it(`offers what can be done with a key in a menu of words, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const page = await browser.as(alice, server, `${KEYS}?sort=name`, { javaScript });
      const button = (name: string) => row(page, name).getByRole('button', { name: /^More: / });
      const menu = (name: string) => row(page, name).locator('.menu');
      const before = await row(page, 'Forgotten').boundingBox();
      await button('Forgotten').click();
      expect(await menu('Forgotten').getByRole('link').allInnerTexts()).to.deep.equal([
        'Edit',
        'Duplicate',
        'Pause',
        'Revoke',
      ]);
      expect(await row(page, 'Forgotten').boundingBox()).to.deep.equal(before);
      const links = menu('Forgotten').getByRole('link');
      expect(await links.nth(1).getAttribute('href')).to.equal(`${KEYS}/new?from=${ids.get('Forgotten')}`);
      await page.keyboard.press('Escape');
      // The row below, whose menu does not cover the button of the row above.
      await button(LONG).click();
      await button('Forgotten').click();
      expect([await menu('Forgotten').isVisible(), await menu(LONG).isVisible()]).to.deep.equal([true, false]);
      await page.keyboard.press('Escape');
      expect(await menu('Forgotten').isVisible()).to.equal(false);
      expect(await button('Forgotten').and(page.locator(':focus')).count()).to.equal(1);
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      expect(await page.locator(':focus').innerText()).to.equal('Edit');
      if (javaScript) {
        await page.keyboard.press('ArrowUp');
        expect(await page.locator(':focus').innerText()).to.equal('Revoke');
        await page.keyboard.press('Tab');
        expect(await menu('Forgotten').isVisible(), 'once the focus is elsewhere').to.equal(false);
      }
      // No part of the menu of the last row is cut by the table or the window.
      const last = page.locator('.keys-table tbody tr').last();
      await last.getByRole('button', { name: /^More: / }).click();
      const box = await last.locator('.menu').boundingBox();
      expect((box?.y ?? 0) + (box?.height ?? 0)).to.be.at.most(900);
      expect((box?.x ?? 0) + (box?.width ?? 0)).to.be.at.most(1280);
      await last.locator('.menu').getByRole('link').last().click({ trial: true });
      if (javaScript) await expectAccessible(page);
    });
  }

  it('shows a bar at the foot of the window with the first tick, which says how many are ticked and clears them', async () => {
    const page = await browser.as(charlie, server, THEIRS);
    const bar = page.locator('.bulk');
    expect(await bar.isVisible()).to.equal(false);
    await page.getByLabel('Select Key 52').check();
    expect((await bar.innerText()).split(/\n+/)).to.deep.equal(['1 selected', 'Pause', 'Revoke', 'Clear']);
    const place = await bar.boundingBox();
    expect((place?.y ?? 0) + (place?.height ?? 0)).to.equal(900);
    await page.getByLabel('Select all on this page').check();
    expect(await bar.innerText()).to.include('50 selected');
    expect(await page.locator('#keys-region [data-say]').innerText()).to.equal('50 selected');
    // A reload of some browsers and Back keep ticks.
    await page.getByRole('link', { name: 'Key 51', exact: true }).click();
    await page.goBack();
    const kept = await page.locator('.keys-table tbody :checked').count();
    expect(await bar.isVisible()).to.equal(kept > 0);
    if (kept === 0) await page.getByLabel('Select Key 52').check();
    await bar.getByRole('button', { name: 'Clear' }).click();
    expect(await page.locator('.keys-table :checked').count()).to.equal(0);
    expect(await bar.isVisible()).to.equal(false);
    expect(await page.getByLabel('Select all on this page').and(page.locator(':focus')).count()).to.equal(1);
  });

  it('says whose each key is and who made it, and is narrowed by owner and to keys that end soon', async () => {
    const [, bound] = await Promise.all(
      [{ name: 'Of Alice', owner: 'user', expiresInDays: 3 }, { name: 'Of Acme' }].map(async (wish) =>
        issue(server, as(alice), wish),
      ),
    );
    await rotate(server, as(alice), bound?.id ?? '', { gracePeriodSeconds: 3_600 });
    const page = await browser.as(alice, server, KEYS);
    const owner = async (name: string) => row(page, name).first().locator('.keys-owner').innerText();
    expect(await owner('Of Alice')).to.match(/^Alice\n(?!.*by)/);
    expect(await owner('Of Acme')).to.match(/^Organisation\n.* by Alice$/);
    expect(await owner('Forgotten')).to.match(/^Organisation\n\d months ago$/);
    await page.getByLabel('Belongs to').selectOption('Alice');
    await page.waitForURL(`**/*owner=${alice.id}*`);
    await page.locator('.keys-range', { hasText: '1–1 of 1' }).waitFor();
    expect(await names(page)).to.deep.equal(['Of Alice']);
    await page.goto(`${KEYS}?owner=tenant&q=Of+Ac`);
    expect(await names(page)).to.deep.equal(['Of Acme', 'Of Acme']);
    await page.goto(`${KEYS}?status=expiring&sort=expiresAt`);
    expect(await page.getByLabel('Status').inputValue()).to.equal('expiring');
    expect(await names(page)).to.deep.equal(['Of Acme', 'Of Alice', HEBREW]);
    expect(await row(page, 'Of Acme').locator('.status').innerText()).to.equal('rotating');
    await server.services.db('api_keys').whereIn('name', ['Of Alice', 'Of Acme']).delete();
  });

  for (const locale of ['en', 'fr'] as const) {
    it(`shows the first key above the fold of a phone, and its filters behind one button, in ${locale}`, async () => {
      const page = await browser.as(alice, server, KEYS, { width: 390, locale });
      const card = page.locator('.keys-table tbody tr').first();
      const box = await card.boundingBox();
      expect((box?.y ?? 844) + (box?.height ?? 844)).to.be.below(844 - 120);
      expect(await card.locator('.keys-status, .keys-used, .keys-do > div').count()).to.equal(3);
      expect(await card.locator('.keys-scopes, .keys-owner, .keys-days').first().isVisible()).to.equal(false);
      expect((await page.locator('.strip').boundingBox())?.height).to.be.below(48);
      const fold = page.locator('.filters-fold summary');
      expect(await page.locator('#status').isVisible()).to.equal(false);
      await fold.click();
      await page.locator('#environment').selectOption('live');
      await page.waitForURL('**/*environment=live*');
      await page.locator('[data-fold-count]', { hasText: '· 1' }).waitFor();
      await page.goto(`${KEYS}?status=active&environment=live`);
      expect(await page.locator('#status').isVisible()).to.equal(true);
      expect((await fold.innerText()).replace(/\s+/g, ' ').trim()).to.equal(
        locale === 'en' ? 'Filters · 2' : 'Filtres · 2',
      );
      await expectAccessible(page);
      await expectToFit(page);
    });
  }

  it('sends nothing of a pasted key from elsewhere but its beginning and last four characters', async () => {
    const text = 'sk_live_51HqLyjWDarjtT1zdp7dc';
    const imported = {
      name: 'From elsewhere',
      scopes: ['read'],
      prefix: 'sk_live_51',
      lastFour: 'p7dc',
      hash: 'ab'.repeat(32),
    };
    await server.send('POST', '/api/v1/api-keys/import', {
      body: JSON.stringify(imported),
      headers: { ...as(alice), 'Content-Type': 'application/x-ndjson' },
    });
    const page = await browser.as(alice, server, KEYS);
    const sent: string[] = [];
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
    const search = page.getByLabel('Search');
    await search.focus();
    await page.evaluate(`navigator.clipboard.writeText('Bearer ${text}'.padEnd(200, ' '))`);
    await page.keyboard.press('Control+V');
    expect(await search.inputValue()).to.equal('sk_live…p7dc');
    await page.waitForURL((url) => url.searchParams.get('q') === 'sk_live…p7dc');
    await page.locator('.keys-range', { hasText: '1–1 of 1' }).waitFor();
    expect(await names(page)).to.deep.equal(['From elsewhere']);
    await search.fill('');
    await search.pressSequentially(text);
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.searchParams.get('q')?.endsWith('…p7dc') ?? false);
    expect(sent.join()).to.not.include('WDarj');
    const visitor = new Visitor(server);
    await visitor.signIn(alice.email, PASSWORD);
    expect((await visitor.get(`${KEYS}?q=${text}`)).headers['location']).to.equal(`${KEYS}?q=sk_live%E2%80%A6p7dc`);
    await server.services.db('api_keys').where({ name: 'From elsewhere' }).delete();
  });

  it('sends of a whole key in the search no more than what is shown of it', async () => {
    const { db, config } = server.services;
    const wish = NewKey.parse({ name: 'Pasted' });
    const { key, text } = await issueKey(systemContext(db, globex.id), config.keys, wish);
    const page = await browser.as(charlie, server, THEIRS);
    const sent: string[] = [];
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
    const search = page.getByLabel('Search');
    await search.focus();
    await page.keyboard.insertText(`x-api-key: ${text}`);
    await page.keyboard.press('Enter');
    const mask = `${key.keyPrefix}…${key.lastFour}`;
    expect(await search.inputValue()).to.equal(mask);
    await page.waitForURL((url) => url.searchParams.get('q') === mask);
    await page.locator('.keys-range', { hasText: '1–1 of 1' }).waitFor();
    expect(await names(page)).to.deep.equal(['Pasted']);
    expect(sent.join()).to.not.include(text.slice(-20));
    await server.services.db('api_keys').where({ id: key.id }).delete();
  });

  it('says in its place that it could not be loaded, and offers to try again', async () => {
    browser.expects(503);
    const page = await browser.as(charlie, server, THEIRS);
    await page.route(`**${THEIRS}?*`, async (route) =>
      route.fulfill({ status: 503, contentType: 'text/html', body: '' }),
    );
    await page.getByLabel('Search').fill('Key 07');
    await page.getByText('This could not be loaded.').waitFor();
    await expectAccessible(page);
    await page.unroute(`**${THEIRS}?*`);
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.locator('.keys-range', { hasText: '1–1 of 1' }).waitFor();
    expect(await names(page)).to.deep.equal(['Key 07']);
  });

  it('shows a skeleton while it is loading', async () => {
    const page = await browser.as(charlie, server, THEIRS);
    let answer: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (answer = resolve));
    await page.route(`**${THEIRS}?*`, async (route) => {
      await waiting;
      await route.continue();
    });
    await page.getByLabel('Search').fill('Key 08');
    await page.locator('.skeleton').waitFor();
    expect(await page.locator('.keys-table').isVisible()).to.equal(false);
    answer();
    await page.locator('.keys-range', { hasText: '1–1 of 1' }).waitFor();
    expect(await page.locator('.skeleton').isVisible()).to.equal(false);
  });

  it('says that there are no keys yet, and shows how to use the first', async () => {
    const owner = await addPlayer(server.services, await emptyTenant(), 'Erin', { role: 'OWNER' });
    const page = await browser.as(owner, server, pageOf(owner.tenant, '/api-keys'));
    await page.getByRole('heading', { name: 'No keys yet' }).waitFor();
    expect(await page.locator('#example').innerText()).to.match(/^curl .*YOUR_KEY/);
    await expectAccessible(page);
  });

  async function emptyTenant() {
    const { addTenant } = await import('../../support/cast.ts');
    return addTenant(server.services, 'Empty');
  }

  it('shows no way to change anything to those who may only look, and takes no change of theirs', async () => {
    const page = await browser.as(dora, server, KEYS);
    expect(await names(page)).to.include(MARKUP);
    for (const word of ['Create key', 'Edit', 'Rotate', 'Revoke', 'Revoke selected…']) {
      expect(await page.locator('main').getByText(word, { exact: true }).count(), word).to.equal(0);
    }
    const id = ids.get(MARKUP) ?? '';
    await page.goto(`${KEYS}/${id}`);
    expect(await page.locator('.page-actions').innerText()).to.equal('');
    const visitor = new Visitor(server);
    await visitor.signIn(dora.email, PASSWORD);
    for (const form of ['new', `${id}/edit`, `${id}/rotate`, `${id}/revoke`, 'revoke']) {
      expect((await visitor.get(`${KEYS}/${form}`)).status, form).to.equal(403);
      expect((await visitor.submit(`${KEYS}/${form}`, { id, name: 'x', scopes: 'read' })).status, form).to.equal(403);
    }
    expect((await visitor.submit(`${KEYS}/${id}/scopes/remove`, { scope: '*' })).status).to.equal(403);
  });

  it('shows nothing of another tenant, and takes no change of it', async () => {
    const visitor = new Visitor(server);
    await visitor.signIn(charlie.email, PASSWORD);
    const id = ids.get(MARKUP) ?? '';
    for (const form of ['', '/edit', '/rotate', '/revoke']) {
      expect((await visitor.get(`${THEIRS}/${id}${form}`)).status, form).to.equal(404);
    }
    for (const form of ['/edit', '/rotate', '/revoke', '/scopes/remove']) {
      expect(
        (await visitor.submit(`${THEIRS}/${id}${form}`, { name: 'x', scopes: 'read', grace: '0', scope: '*' })).status,
      ).to.equal(404);
    }
    await visitor.submit(`${THEIRS}/revoke`, { id });
    const row = await server.services.db('api_keys').where({ id }).first<{ revoked_at: number | null }>();
    expect(row.revoked_at).to.equal(null);
  });

  for (const locale of ['en', 'fr'] as const) {
    it(`fits whatever keys are called, and is accessible with all its dialogs, in ${locale}`, async function () {
      this.timeout(60_000);
      const id = ids.get(MARKUP) ?? '';
      const long = ids.get(LONG) ?? '';
      const page = await browser.as(alice, server, KEYS, { locale });
      let alerts = 0;
      page.on('dialog', (dialog) => {
        alerts += 1;
        void dialog.dismiss();
      });
      for (const path of ['', `/${id}`, `/${long}`, `/${long}/edit`, '/new', `/${long}/revoke`]) {
        await page.goto(`${KEYS}${path}`);
        // What stands on the other pages besides the names is seen in both themes where every page of the admin is.
        if (locale === 'en' && path === '') await expectWellInBothThemes(page);
        else await expectToFit(page);
      }
      // The dialogs are seen in the dark in one language, in the light in the other.
      await page.emulateMedia({ colorScheme: locale === 'en' ? 'dark' : 'light' });
      await page.goto(KEYS);
      const row = page.locator('.keys-table tbody tr').filter({ hasText: MARKUP });
      expect(await row.locator('img').count()).to.equal(0);
      for (const dialog of ['rotate', 'revoke']) {
        if (dialog === 'revoke') await row.locator('[popovertarget]').click();
        await row.locator(`[hx-get$="/${dialog}"]`).click();
        await page.locator(`#${dialog}[open]`).waitFor();
        expect(await page.locator(`#${dialog}`).innerText()).to.include(MARKUP);
        await expectAccessible(page);
        await page.keyboard.press('Escape');
        await page.locator(`#${dialog}`).waitFor({ state: 'detached' });
      }
      await row.locator('input[type=checkbox]').check();
      await page.getByTestId('revoke-chosen').click();
      await page.locator('#revoke-some[open]').waitFor();
      await expectAccessible(page);
      expect(alerts).to.equal(0);
    });
  }
});
