import { expect } from 'chai';
import type { Locator, Page } from 'playwright-core';
import { expectAccessible, expectNoOverflow, useBrowser } from '../../support/browser.ts';
import { as } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { press } from '../../support/keyPages.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');

interface Place {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Where the tip of the badge under the pointer can be pointed at. */
const TIP = `(() => {
  const badge = document.querySelector('[data-tip]:hover');
  const own = badge.getBoundingClientRect();
  const found = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (let y = own.top - 160; y < own.bottom + 160; y += 4) {
    for (let x = own.left - 340; x < own.right + 340; x += 4) {
      const within = x >= own.left && x <= own.right && y >= own.top && y <= own.bottom;
      if (within || document.elementFromPoint(x, y) !== badge) continue;
      found.left = Math.min(found.left, x);
      found.right = Math.max(found.right, x);
      found.top = Math.min(found.top, y);
      found.bottom = Math.max(found.bottom, y);
    }
  }
  return found;
})()`;

onDatabase('sqlite', 'the look of the admin', (database) => {
  const browser = useBrowser();
  const { server, alice } = useServer(database);
  before(async () => {
    const scopes = ['projects:write', 'orders:read', 'marketplace:install', 'customers:read'];
    for (const name of ['Beta', 'Alpha']) await issue(server, as(alice), { name, scopes });
  });

  const style = async (page: Page, selector: string, property: string) =>
    page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).${property}`);

  it('sorts and chooses all below 720 pixels, where nothing that can be reached is out of sight', async () => {
    const page = await browser.as(alice, server, KEYS, { width: 390 });
    const head = page.locator('.keys-table thead');
    for (const one of await head.locator('a, label').all()) {
      const box = await one.boundingBox();
      expect(box?.height).to.be.at.least(24);
      expect((box?.x ?? 0) + (box?.width ?? 0)).to.be.at.most(390);
    }
    const places = await Promise.all(
      ['Name', 'Created'].map(async (name) => head.getByRole('link', { name }).boundingBox()),
    );
    expect(places[0]?.y).to.equal(places[1]?.y);
    await head.getByLabel('Select all on this page').check();
    expect(await page.locator('.keys-table tbody input:checked').count()).to.equal(2);
    await head.getByRole('link', { name: 'Name' }).click();
    await page.waitForURL('**/*sort=name');
    expect(await page.locator('.keys-table tbody th a').allInnerTexts()).to.deep.equal(['Alpha', 'Beta']);
    await expectAccessible(page);
    await expectNoOverflow(page);
  });

  it('offers Select all only where JavaScript runs', async () => {
    const page = await browser.as(alice, server, KEYS, { javaScript: false });
    expect(await page.locator('[data-tick-all]').isVisible()).to.equal(false);
  });

  it('gives each checkbox of a row a target of at least 24 pixels', async () => {
    const page = await browser.as(alice, server, KEYS);
    const box = await page.locator('.keys-table tbody .tick').first().boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).to.be.at.least(24);
  });

  describe('explains a scope', () => {
    async function tipOf(page: Page, badge: Locator): Promise<Place> {
      await badge.scrollIntoViewIfNeeded();
      await badge.hover();
      return page.evaluate<Place>(TIP);
    }

    for (const [where, path, width, badge] of [
      ['in the last row', KEYS, 1280, '.keys-table tr:last-child [data-tip]'],
      ['on a small screen', acmePage('/marketplace'), 390, '.tile:last-child [data-tip]'],
      ['in a tile', acmePage('/marketplace'), 1280, '.tile:last-child [data-tip]'],
    ] as const) {
      it(`wholly ${where}`, async () => {
        const page = await browser.as(alice, server, path, { width });
        const { left, right, top, bottom } = await tipOf(page, page.locator(badge).last());
        expect([left >= 0, right <= width, bottom <= 900]).to.deep.equal([true, true, true]);
        const [wide, high] = await Promise.all(
          ['width', 'height'].map(async (side) =>
            page.evaluate<string>(`getComputedStyle(document.querySelector('[data-tip]:hover'), '::after').${side}`),
          ),
        );
        expect(right - left).to.be.at.least(Number.parseFloat(wide ?? '') - 8);
        expect(bottom - top).to.be.at.least(Number.parseFloat(high ?? '') - 8);
      });
    }

    it('until Escape takes that away, and while the pointer is on it', async () => {
      const page = await browser.as(alice, server, KEYS);
      const badge = page.locator('.keys-table [data-tip]').first();
      const { left, top, bottom } = await tipOf(page, badge);
      await page.mouse.move(left + 8, (top + bottom) / 2, { steps: 5 });
      expect(await page.evaluate<Place>(TIP)).to.include({ left, top });
      await page.keyboard.press('Escape');
      // The pointer stays where it is, and is on the badge no more.
      await badge.and(page.locator(':hover')).waitFor({ state: 'detached' });
      await page.mouse.move(0, 0);
      await badge.hover();
      expect(await page.evaluate<Place>(TIP)).to.include({ left, top });
    });

    it('in a dialog, of which Escape takes the tip first', async () => {
      const page = await browser.as(alice, server, KEYS);
      await press(page.getByRole('link', { name: 'Rotate: Alpha' }), page.locator('#rotate[open]'));
      await page.locator('#rotate [data-tip]').first().hover();
      await page.keyboard.press('Escape');
      expect(await page.locator('#rotate').isVisible()).to.equal(true);
      await page.keyboard.press('Escape');
      await page.locator('#rotate').waitFor({ state: 'detached' });
    });
  });

  it('keeps the height of a list while it is fetched, and shows no skeleton for what is there at once', async () => {
    const page = await browser.as(alice, server, KEYS);
    const height = async () => page.evaluate<number>(`document.querySelector('#keys-region').offsetHeight`);
    const before = await height();
    let answer: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (answer = resolve));
    await page.route(`**${KEYS}?*`, async (route) => {
      await waiting;
      await route.continue();
    });
    await page.getByRole('link', { name: 'Name' }).click();
    await page.locator('#keys-region.htmx-request').waitFor();
    expect(
      await page.evaluate(`document.querySelector('.skeleton').getAnimations()[0]?.effect.getTiming().delay`),
    ).to.equal(200);
    await page.locator('.skeleton').waitFor();
    await page.locator('.keys-table').waitFor({ state: 'hidden' });
    expect(await height()).to.equal(before);
    answer();
    await page.waitForURL('**/*sort=name');
    await page.locator('.keys-table').waitFor();
  });

  it('shows what is current, chosen and counted by borders and outlines where the colours are the reader’s own', async () => {
    const page = await browser.as(alice, server, acmePage('/usage'));
    const { key } = await issue(server, as(alice), { name: 'Counted' });
    for (const path of ['/api/v1/whoami', '/api/v1/api-keys']) await server.get(path, { 'x-api-key': key });
    await page.emulateMedia({ forcedColors: 'active' });
    await page.goto(acmePage('/usage'));
    for (const current of ['.shell-nav [aria-current]', '.tabs [aria-current]', '.segments [aria-pressed=true]']) {
      expect(await style(page, current, 'borderBottomWidth'), current).to.equal('4px');
    }
    for (const part of ['.swatch', '.chart-plot']) {
      const fills = await Promise.all(['ok', 'denied'].map(async (end) => style(page, `${part} .bar-${end}`, 'fill')));
      expect(fills[0], part).to.match(/^rgb/);
      expect(fills[1], part).to.include('#fill-denied');
    }
    expect(await style(page, '.fill-denied path', 'stroke')).to.not.equal(
      await style(page, '.fill-denied rect', 'fill'),
    );
    await page.goto(`${KEYS}?attention=endless`);
    expect(await style(page, '.strip [aria-current]', 'borderBottomWidth')).to.equal('4px');
    await page.goto(`${KEYS}/new`);
    expect(await style(page, 'input[type=radio]:checked', 'appearance')).to.equal('auto');
    expect(
      await page.evaluate(`getComputedStyle(document.querySelector('input[type=radio]:checked'), '::before').display`),
    ).to.equal('none');
  });

  it('strikes through the name and the text of a revoked key on its own page too', async () => {
    const { id } = await issue(server, as(alice), { name: 'Over' });
    await server.post(`/api/api-keys/${id}/revoke`, {}, as(alice));
    const page = await browser.as(alice, server, `${KEYS}/${id}`);
    for (const part of ['h1', '.page-head .keys-masked']) {
      expect(await style(page, part, 'textDecorationLine'), part).to.equal('line-through');
    }
  });

  it('marks the system’s theme as chosen before anybody has chosen another', async () => {
    const page = await browser.open(server, '/login');
    const pressed = page.locator('[name=theme][aria-pressed=true]');
    expect(await pressed.getAttribute('value')).to.equal('system');
  });
});
