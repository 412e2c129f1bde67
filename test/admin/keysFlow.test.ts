import { expect } from 'chai';
import type { Locator, Page } from 'playwright-core';
import { expectAccessible, useBrowser } from '../support/browser.ts';
import { castOf, type Cast } from '../support/cast.ts';
import { onDatabase } from '../support/databases.ts';
import { tried } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';

const KEYS = '/admin/api-keys';

onDatabase('sqlite', 'the life of a key in a browser', (database) => {
  const browser = useBrowser();
  let server: TestServer;
  let cast: Cast;
  before(async () => {
    server = await startServer(database.env());
    cast = await castOf(server);
  });
  after(async () => server.stop());

  const rows = (page: Page) => page.locator('.keys-table tbody tr');
  const row = (page: Page, text: string) => rows(page).filter({ hasText: text });

  /** Presses what ends in another page or in a dialog, and waits for it. */
  async function press(target: Locator, next: Locator): Promise<void> {
    await target.click();
    await next.waitFor();
  }

  /** The text of the key that the page shows this once. */
  async function take(page: Page): Promise<string> {
    const text = await page.getByLabel('The key', { exact: true }).inputValue();
    expect(text).to.match(/^fsk_live_\w{32}$/);
    await page.getByLabel('I have copied my key').check();
    await press(page.getByRole('button', { name: 'Done' }), page.locator('.keys-table'));
    return text;
  }

  for (const javaScript of [true, false]) {
    describe(javaScript ? 'with JavaScript' : 'without JavaScript', () => {
      it('goes from its creation by way of a rotation to its end', async function () {
        this.timeout(60_000);
        const name = `Nightly export ${javaScript ? 1 : 2}`;
        const page = await browser.as(cast.alice, server, KEYS, { javaScript });
        await press(page.getByRole('link', { name: 'Create key' }).first(), page.getByLabel('Name'));
        expect(await page.getByRole('checkbox', { name: 'read', exact: true }).isChecked()).to.equal(true);
        await page.getByLabel('Name').fill(name);
        await page.getByRole('checkbox', { name: 'projects:write', exact: true }).check();
        await page.getByRole('checkbox', { name: 'orders:delete', exact: true }).check();
        await press(page.getByRole('button', { name: 'Create key' }), page.locator('#reveal'));

        // The line works as it stands, in a terminal.
        const line = await page.locator('#try-it').innerText();
        const [, shown = '', address = ''] = /^curl -sS -H 'x-api-key: (\S+)' (\S+)$/.exec(line) ?? [];
        const answer = await fetch(address, { headers: { 'x-api-key': shown } });
        expect([answer.status, await answer.json()]).to.have.nested.property('[1].name', name);
        const first = await take(page);
        expect(first).to.equal(shown);

        const mine = row(page, first.slice(-4));
        expect(await mine.innerText())
          .to.include(name)
          .and.include('127.0.0.1')
          .and.include('active');
        expect(await mine.innerText()).to.not.include(first);

        await press(mine.getByRole('link', { name: 'Edit' }), page.locator('#key-form'));
        await page.getByRole('checkbox', { name: 'orders:delete', exact: true }).uncheck();
        await page.getByRole('checkbox', { name: 'files:write', exact: true }).check();
        if (javaScript) {
          expect(await page.locator('[data-scope-diff]').innerText()).to.match(
            /− orders:delete[^]*\+ files:write|\+ files:write[^]*− orders:delete/,
          );
        }
        await press(page.getByRole('button', { name: 'Save changes' }), page.locator('.key-usage'));
        expect(await page.locator('.key-usage ~ .columns').innerText())
          .to.include('files:write')
          .and.not.include('orders:delete');

        await press(page.getByRole('link', { name: 'Rotate' }), page.locator('#rotate'));
        expect(await page.getByLabel('24 hours').isChecked()).to.equal(true);
        await press(page.getByRole('button', { name: 'Rotate' }), page.locator('#reveal'));
        const second = await take(page);
        expect([await tried(server, first), await tried(server, second)]).to.deep.equal(['200', '200']);

        await page.goto(KEYS);
        const old = row(page, first.slice(-4));
        expect(await old.innerText()).to.match(/rotating\s+ends in 23 hr, 1 request since/);
        await press(old.getByRole('link', { name: 'End now' }), page.locator('#revoke'));
        expect(await page.locator('#revoke').innerText())
          .to.include(name)
          .and.include('127.0.0.1')
          .and.include('2 requests');
        await press(
          page.getByRole('button', { name: 'End now' }),
          row(page, first.slice(-4)).locator('.status-revoked'),
        );
        expect([await tried(server, first), await tried(server, second)]).to.deep.equal(['401 key_revoked', '200']);

        await press(row(page, second.slice(-4)).getByRole('link', { name: 'Revoke' }), page.locator('#revoke'));
        expect(await page.locator(':focus').innerText()).to.equal('Keep key');
        await page.getByLabel('Reason, for the audit log').fill('Contract ended');
        await press(
          page.getByRole('button', { name: 'Revoke', exact: true }),
          row(page, second.slice(-4)).locator('.status-revoked'),
        );
        expect(await tried(server, second)).to.equal('401 key_revoked');
        const struck = row(page, second.slice(-4)).locator('th');
        await page.locator('.keys-table .gone th').first().waitFor();
        expect(await page.evaluate(`getComputedStyle(document.querySelector('.gone th')).textDecorationLine`)).to.equal(
          'line-through',
        );
        expect(await rows(page).last().innerText()).to.include('revoked');

        await press(struck.getByRole('link'), page.locator('.key-usage'));
        expect(await page.locator('main').innerText())
          .to.include('Contract ended')
          .and.include('Revoked')
          .and.include('/whoami');
      });

      it('shows its text once: Back, refresh and the address show none', async () => {
        const page = await browser.as(cast.alice, server, KEYS, { javaScript });
        await page.goto(`${KEYS}/new?name=Once`);
        await press(page.getByRole('button', { name: 'Create key' }), page.locator('#reveal'));
        const text = await take(page);
        await page.goBack().catch(() => undefined);
        // Without scripts that is a page which the browser would have to send again, and refuses to.
        if (javaScript) await page.locator('#key-form').waitFor();
        else await page.waitForURL('chrome-error://**');
        expect(await page.content()).to.not.include(text);
        await page.goto(KEYS);
        expect(
          await row(page, 'Once')
            .filter({ hasText: text.slice(-4) })
            .count(),
        ).to.equal(1);
        await page.goto(`${KEYS}/new`);
        expect(await page.content()).to.not.include(text);
      });
    });
  }

  it('holds its text until it was copied', async () => {
    const page = await browser.as(cast.alice, server, `${KEYS}/new?name=Held`);
    await press(page.getByRole('button', { name: 'Create key' }), page.locator('#reveal'));
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.mouse.click(4, 400);
    await page.getByRole('button', { name: 'Done' }).click();
    expect(await page.locator('#reveal').isVisible()).to.equal(true);

    let asked = 0;
    page.on('dialog', (dialog) => {
      asked += 1;
      void dialog.dismiss();
    });
    await page.evaluate(`location.href = '${KEYS}'`).catch(() => undefined);
    await page.waitForTimeout(100);
    expect([asked, await page.locator('#reveal').isVisible()]).to.deep.equal([1, true]);

    await page.locator('#reveal').getByRole('button', { name: 'Copy' }).first().click();
    await page.getByText('Copied', { exact: true }).waitFor();
    const text = await page.getByLabel('The key', { exact: true }).inputValue();
    expect(await page.evaluate('navigator.clipboard.readText()')).to.equal(text);
    await take(page);
    expect(asked).to.equal(1);
  });

  it('is made, rotated and revoked by keyboard alone', async () => {
    const page = await browser.as(cast.alice, server, KEYS);
    const keys = async (...names: string[]) => {
      for (const name of names) await page.keyboard.press(name);
    };
    await keys('c');
    await page.waitForURL(`**${KEYS}/new`);
    await page.locator('#name:focus').waitFor();
    await page.keyboard.type('By keyboard');
    await keys('Enter');
    await page.locator('#reveal').waitFor();
    await page.locator('#key-text:focus').waitFor();
    // The button that copies it, the line to try and its button, then the box.
    await keys('Tab', 'Tab', 'Tab', 'Tab', 'Space', 'Tab', 'Enter');
    await page.locator('.keys-table').waitFor();
    for (const [link, dialog] of [
      ['Rotate: By keyboard', 'rotate'],
      ['Revoke: By keyboard', 'revoke'],
    ] as const) {
      await page.getByRole('link', { name: link }).last().focus();
      await keys('Enter');
      await page.locator(`#${dialog}[open]`).waitFor();
      await keys('Escape');
      await page.locator(`#${dialog}`).waitFor({ state: 'detached' });
      expect(await page.locator(':focus').getAttribute('aria-label')).to.equal(link);
      await keys('Enter');
      await page.locator(`#${dialog}[open]`).waitFor();
      const confirm = page.locator(`#${dialog} button[type=submit]`);
      for (let tabs = 0; tabs < 12 && (await confirm.and(page.locator(':focus')).count()) === 0; tabs++) {
        await keys('Tab');
      }
      await keys('Enter');
      if (dialog === 'rotate') {
        await page.locator('#key-text:focus').waitFor();
        await keys('Tab', 'Tab', 'Tab', 'Tab', 'Space', 'Tab', 'Enter');
        await page.locator('.keys-table').waitFor();
      }
    }
    await page.locator('#toasts').getByText('By keyboard was revoked.').waitFor();
  });

  it('is made once, however often its maker clicks', async () => {
    const page = await browser.as(cast.alice, server, `${KEYS}/new?name=Twice`);
    let posts = 0;
    page.on('request', (request) => (posts += request.method() === 'POST' ? 1 : 0));
    await page.getByRole('button', { name: 'Create key' }).dblclick();
    await page.locator('#reveal').waitFor();
    expect(posts).to.equal(1);
    await take(page);
    expect(await row(page, 'Twice').count()).to.equal(1);
    await press(row(page, 'Twice').getByRole('link', { name: 'Edit' }), page.locator('#key-form'));
    posts = 0;
    await page.getByRole('button', { name: 'Save changes' }).dblclick();
    await page.locator('.key-usage').waitFor();
    expect(posts).to.equal(1);
  });
});
