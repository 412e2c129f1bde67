import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { openAccount, useBrowser } from '../../support/browser.ts';
import { as } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue, rotate } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');
const timeZone = 'Pacific/Marquesas';

/** Keeps what each frame of the page shows as its first time, until it has loaded. */
const WATCH_FRAMES = `
  window.shown = [];
  const look = () => {
    const time = document.querySelector('main dl time');
    if (time) window.shown.push(time.textContent);
    if (document.readyState !== 'complete' || !time) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
`;

onDatabase('sqlite', 'the times of a page', (database) => {
  const browser = useBrowser();
  const { server, alice } = useServer(database);
  let id: string;
  before(async () => {
    ({ id } = await issue(server, as(alice), { name: 'Alpha' }));
    await server.services
      .db('api_keys')
      .where({ id })
      .update({ created_at: Date.UTC(2026, 0, 5, 3, 4, 5) });
  });

  const created = (page: Page) =>
    page.locator('.key-facts div', { has: page.getByText(/^(Created|Créée)$/) }).locator('time');

  it('are in the zone of the reader from the first frame on, in the language of the page, with UTC on hover and for machines', async () => {
    const page = await browser.as(alice, server, acmePage('/membership'), { timeZone });
    await browser.runFirst(page, WATCH_FRAMES);
    await page.goto(`${KEYS}/${id}`);
    const shown = new Set(await page.evaluate<string[]>('window.shown'));
    expect([...shown]).to.deep.equal(['4 Jan 2026, 17:34:05 UTC−9:30']);
    expect(await created(page).getAttribute('title')).to.equal('5 Jan 2026, 03:04:05 UTC');
    expect(await created(page).getAttribute('datetime')).to.equal('2026-01-05T03:04:05.000Z');
    expect(await page.locator('[data-zone]').innerText()).to.equal(
      'Times in Pacific/Marquesas (UTC−9:30), days and charts in UTC',
    );
    await openAccount(page);
    await page.getByRole('button', { name: 'Français' }).click();
    await page.locator('html[lang=fr]').waitFor();
    expect(await created(page).innerText()).to.match(/^4 janv\. 2026.* 17:34:05 UTC−9:30$/);
    await openAccount(page);
    await page.getByRole('button', { name: 'English' }).click();
    await page.locator('html[lang=en]').waitFor();

    await rotate(server, as(alice), id, { gracePeriodSeconds: 3_600 });
    await page.reload();
    expect(await page.locator('.rotation > p').first().innerText()).to.match(
      /^Replaced on .* UTC−9:30; it works until .* UTC−9:30\./,
    );
  });

  it('are as seen from now in lists, with both zones on hover, also in what htmx fetches', async () => {
    const page = await browser.as(alice, server, KEYS, { timeZone });
    const title = /^\d.* UTC−9:30\n\d.* UTC$/;
    await page.getByLabel('Search').fill('Alpha');
    await page.waitForURL('**?q=Alpha');
    const time = page.locator('#keys tbody time').first();
    expect(await time.getAttribute('title')).to.match(title);
    expect(await time.innerText()).to.match(/now|ago/);
  });

  it('are in UTC and say so without JavaScript', async () => {
    const page = await browser.as(alice, server, `${KEYS}/${id}`, { javaScript: false, timeZone });
    expect(await created(page).innerText()).to.equal('5 Jan 2026, 03:04:05 UTC');
    expect(await page.locator('[data-zone]').innerText()).to.equal('All times in UTC');
  });
});
