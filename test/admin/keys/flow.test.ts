import { expect } from 'chai';
import { expectAccessible, useBrowser } from '../../support/browser.ts';
import { onDatabase } from '../../support/databases.ts';
import { inMenu, press, row, take } from '../../support/keyPages.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');

onDatabase('sqlite', 'the life of a key in a browser', (database) => {
  const browser = useBrowser();
  const { server, alice } = useServer(database);

  for (const javaScript of [true, false]) {
    describe(javaScript ? 'with JavaScript' : 'without JavaScript', () => {
      it('shows its text once: Back, refresh and the address show none', async () => {
        const page = await browser.as(alice, server, KEYS, { javaScript });
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

  it('stays on the page that shows its text until that was copied', async () => {
    const page = await browser.as(alice, server, `${KEYS}/new?name=Held`);
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
    const page = await browser.as(alice, server, KEYS);
    const keys = async (...names: string[]) => {
      for (const name of names) await page.keyboard.press(name);
    };
    await keys('c');
    await page.waitForURL(`**${KEYS}/new`);
    await page.locator('#name:focus').waitFor();
    await page.keyboard.type('By keyboard');
    await keys('Enter');
    await page.locator('#reveal').waitFor();
    await page.locator('#secret:focus').waitFor();
    // The button that copies it, the line to try and its button, then the box.
    await keys('Tab', 'Tab', 'Tab', 'Tab', 'Space', 'Tab', 'Enter');
    await page.locator('.keys-table').waitFor();
    for (const [control, dialog, open] of [
      ['Rotate: By keyboard', 'rotate', ['Enter']],
      // The last link of the menu.
      ['More: By keyboard', 'revoke', ['Enter', 'ArrowUp', 'Enter']],
    ] as const) {
      await page.getByLabel(control, { exact: true }).first().focus();
      await keys(...open);
      await page.locator(`#${dialog}[open]`).waitFor();
      await keys('Escape');
      await page.locator(`#${dialog}`).waitFor({ state: 'detached' });
      expect(await page.locator(':focus').getAttribute('aria-label')).to.equal(control);
      await keys(...open);
      await page.locator(`#${dialog}[open]`).waitFor();
      const confirm = page.locator(`#${dialog} button[type=submit]`);
      for (let tabs = 0; tabs < 12 && (await confirm.and(page.locator(':focus')).count()) === 0; tabs++) {
        await keys('Tab');
      }
      await keys('Enter');
      if (dialog === 'rotate') {
        await page.locator('#secret:focus').waitFor();
        await keys('Tab', 'Tab', 'Tab', 'Tab', 'Space', 'Tab', 'Enter');
        await page.locator('.keys-table').waitFor();
      }
    }
    await page.locator('#toasts').getByText('By keyboard was revoked.').waitFor();
  });

  it('is made once, however often its maker clicks', async () => {
    const page = await browser.as(alice, server, `${KEYS}/new?name=Twice`);
    let posts = 0;
    page.on('request', (request) => (posts += request.method() === 'POST' ? 1 : 0));
    await page.getByRole('button', { name: 'Create key' }).dblclick();
    await page.locator('#reveal').waitFor();
    expect(posts).to.equal(1);
    await take(page);
    expect(await row(page, 'Twice').count()).to.equal(1);
    await press(await inMenu(row(page, 'Twice'), 'Edit'), page.locator('#key-form'));
    posts = 0;
    await page.getByRole('button', { name: 'Save changes' }).dblclick();
    await page.locator('#usage').waitFor();
    expect(posts).to.equal(1);
  });
});
