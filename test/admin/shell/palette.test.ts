import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { expectAccessible, expectWellInBothThemes, useBrowser } from '../../support/browser.ts';
import { as, PASSWORD } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');

onDatabase('sqlite', 'the keyboard', (database) => {
  const browser = useBrowser();
  const { server, alice, bob } = useServer(database);
  let made: { id: string; key: string }[];
  before(async () => {
    made = [];
    for (const name of ['Alpha', 'Beta', 'Beta two']) made.push(await issue(server, as(alice), { name }));
  });

  const text = (page: Page) => page.getByRole('combobox', { name: 'Find keys, pages and actions' });
  const active = async (page: Page) => {
    const id = await text(page).getAttribute('aria-activedescendant');
    return page.locator(`#${id}[aria-selected=true] bdi`).innerText();
  };
  const found = (page: Page, name: string) => page.locator('#palette').getByRole('option', { name }).first().waitFor();
  const open = async (page: Page) => page.locator('#palette[open] [role=option]').first().waitFor();

  it('opens with / or Ctrl+K a palette that finds keys, pages and actions, and goes to the chosen one with Enter', async () => {
    const page = await browser.as(alice, server, acmePage('/audit-logs'));
    await page.keyboard.press('/');
    await open(page);
    expect(await active(page)).to.equal('Keys');
    await page.keyboard.type('bet');
    await found(page, 'Beta two');
    expect(await page.locator('#palette').getByRole('option').allInnerTexts()).to.have.length(3);
    await expectAccessible(page);
    await page.keyboard.press('ArrowUp');
    expect(await active(page)).to.equal('All keys that match “bet”');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await active(page)).to.equal('Beta');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**${KEYS}/${made[1]?.id}`);

    await page.keyboard.press('Control+k');
    // Faster than the answer.
    await page.keyboard.type('invite mem');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**${acmePage('/members/new')}`);
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.keyboard.type('nothing such');
    await page.getByText('Nothing matches “nothing such”.').waitFor();
    expect(await text(page).getAttribute('aria-expanded')).to.equal('false');
    await page.keyboard.press('Escape');
    await page.locator('#palette').waitFor({ state: 'hidden' });
    expect(await page.locator(':focus').innerText()).to.include('Search');
  });

  it('opens with Enter what was typed last, also where the answer to an earlier text arrives meanwhile', async () => {
    const page = await browser.as(alice, server, KEYS);
    await page.clock.install();
    let answerEarlier = () => {};
    await page.route('**/palette?q=', async (route) => {
      await new Promise<void>((resolve) => (answerEarlier = resolve));
      await route.continue();
    });
    const asked = page.waitForRequest('**/palette?q=');
    await page.keyboard.press('Control+k');
    const earlier = await asked;
    await page.keyboard.type('invite mem');
    await page.keyboard.press('Enter');
    answerEarlier();
    // Null where the page has given the request up.
    await earlier.response();
    await page.clock.runFor(1000);
    await page.waitForURL(`**${acmePage('/members/new')}`);
  });

  it('sends of a whole key that is pasted into the palette only what is shown of it', async () => {
    const page = await browser.as(alice, server, KEYS);
    const key = made[0]?.key ?? '';
    const sent: string[] = [];
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
    await page.keyboard.press('/');
    await page.evaluate(`navigator.clipboard.writeText('Bearer ${key}')`);
    await page.keyboard.press('Control+v');
    await found(page, 'Alpha');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**${KEYS}/${made[0]?.id}`);
    expect(sent.join('\n')).not.to.include(key.slice(0, -4));
  });

  it('offers in the palette only pages and actions that its reader may open, and leads past it without JavaScript', async () => {
    const visitor = new Visitor(server);
    await visitor.signIn(bob.email, PASSWORD);
    const { text: html } = await visitor.get(acmePage('/palette'), { 'HX-Request': 'true' });
    expect(html)
      .to.include(acmePage('/tickets'))
      .and.not.include(KEYS)
      .and.not.include(`"${acmePage('/members')}"`);
    expect((await visitor.get(acmePage('/palette?q=alpha'), { 'HX-Request': 'true' })).text).not.to.include('Alpha');
    expect((await visitor.get(acmePage('/palette?q=%00%EF'), { 'HX-Request': 'true' })).status).to.equal(200);

    const page = await browser.as(alice, server, acmePage('/audit-logs'), { javaScript: false });
    await page.getByRole('link', { name: 'Search', exact: true }).click();
    await page.waitForURL(`**${KEYS}#q`);
  });

  it('fits a palette with results into every width, accessible in both themes, in French', async () => {
    const page = await browser.as(alice, server, KEYS, { locale: 'fr' });
    await page.keyboard.press('/');
    await page.keyboard.type('bet');
    await found(page, 'Beta two');
    await expectWellInBothThemes(page);
  });

  it('moves through the rows of a list with j and k, ticks, edits and rotates, and does nothing while somebody types', async () => {
    const page = await browser.as(alice, server, KEYS);
    const focused = async () => page.locator(':focus').innerText();
    await page.keyboard.press('j');
    expect(await focused()).to.equal('Beta two');
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('j');
    expect(await focused()).to.equal('Alpha');
    await page.keyboard.press('k');
    await page.keyboard.press('x');
    expect(await page.locator('tbody tr').nth(1).getByRole('checkbox').isChecked()).to.equal(true);
    await page.keyboard.press('r');
    await page.getByRole('dialog', { name: 'Rotate' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.locator('#q').focus();
    await page.keyboard.type('/jxc?r');
    expect(await page.locator('#q').inputValue()).to.equal('/jxc?r');
    expect(await page.locator('dialog[open]').count()).to.equal(0);
    await page.goto(KEYS);
    await page.keyboard.press('k');
    await page.keyboard.press('e');
    await page.waitForURL(`**${KEYS}/${made[2]?.id}/edit`);
  });
});
