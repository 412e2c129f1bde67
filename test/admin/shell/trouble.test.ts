import { expect } from 'chai';
import type { Page, Route } from 'playwright-core';
import { expectWellInBothThemes, openAccount, signIn, useBrowser } from '../../support/browser.ts';
import { as } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { press } from '../../support/keyPages.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');
const NO_ANSWER = { status: 502, contentType: 'text/html', body: '' };

onDatabase('sqlite', 'trouble on a page of the admin', (database) => {
  const browser = useBrowser();
  const { server, alice } = useServer(database);

  const toasts = (page: Page) => page.locator('#toasts [data-toast]');

  it('says, when a change got no answer, that its outcome is not known', async () => {
    browser.expects(502);
    for (const [locale, button, said] of [
      ['en', 'Create key', 'The change may or may not have been made: reload the page'],
      ['fr', 'Créer une clé', 'La modification a peut-être été faite\u00a0: rechargez la page'],
    ] as const) {
      const page = await browser.as(alice, server, `${KEYS}/new?name=Unanswered`, { locale });
      await page.route(`**${KEYS}/new`, async (route) => route.fulfill(NO_ANSWER));
      await page.getByRole('button', { name: button }).click();
      await toasts(page).waitFor();
      expect(await toasts(page).innerText()).to.include(said);
    }
  });

  it('keeps the navigation on the page of an error for who is signed in, and has none for others', async () => {
    browser.expects(400, 403, 404, 409);
    const { id } = await issue(server, as(alice), { name: 'Ended' });
    await server.post(`/api/api-keys/${id}/revoke`, {}, as(alice));
    const page = await browser.as(alice, server, KEYS);
    for (const [path, title, current] of [
      ['/admin/nothing', 'Not found', undefined],
      [acmePage('/api-keys/nothing/of/this'), 'Not found', 'Keys'],
      [`${KEYS}?page=x`, 'The address is not understood', 'Keys'],
      [`${KEYS}/${id}/edit`, 'The key is not active', 'Keys'],
      ['/admin/tenants/new', 'You may not open this', undefined],
    ] as const) {
      await page.goto(path);
      await page.getByRole('heading', { name: title, level: 1 }).waitFor();
      const links = page.locator('.shell-nav').locator('a');
      expect(await links.count(), path).to.be.above(5);
      expect(await page.locator('.shell-nav [aria-current]').allInnerTexts(), path).to.deep.equal(
        current === undefined ? [] : [current],
      );
      await page.getByText('Request id').waitFor();
    }
    await expectWellInBothThemes(page);
    const stranger = await browser.open(server, '/admin/nothing');
    await stranger.getByRole('heading', { name: 'Not found' }).waitFor();
    expect(await stranger.getByRole('navigation').count()).to.equal(0);
  });

  it('says nothing of a change when only reading failed', async () => {
    browser.expects(502);
    const page = await browser.as(alice, server, KEYS);
    await page.route('**/admin/dialog', async (route) => route.fulfill(NO_ANSWER));
    await page.evaluate(`void htmx.ajax('GET', '/admin/dialog', { target: '#dialogs' })`);
    await toasts(page).filter({ hasText: 'could not be reached' }).waitFor();
  });

  it('shows the server’s own words when it refuses a choice of theme', async () => {
    browser.expects(403);
    const page = await browser.open(server, '/login');
    await signIn(page, alice.email);
    const tab = await page.context().newPage();
    await page.context().clearCookies();
    await tab.goto(`${server.url}/login`);
    await signIn(tab, alice.email);
    await openAccount(page);
    await page.getByRole('button', { name: 'Light' }).click();
    await toasts(page).waitFor();
    expect(await toasts(page).innerText())
      .to.include('This form is out of date')
      .and.not.include('could not be reached');
  });

  describe('while a new key is shown', () => {
    async function shown(): Promise<Page> {
      const page = await browser.as(alice, server, `${KEYS}/new?name=Waits`);
      await press(page.getByRole('button', { name: 'Create key' }), page.locator('#reveal'));
      return page;
    }

    /** Answers the question after its first use like this, and waits until it was asked so often. */
    async function asked(page: Page, times: number, answer: Parameters<Route['fulfill']>[0]): Promise<() => number> {
      let count = 0;
      const enough = new Promise<void>((resolve) => {
        void page.route('**/first-use', async (route) => {
          await route.fulfill(answer);
          count += 1;
          if (count === times) resolve();
        });
      });
      await enough;
      return () => count;
    }

    it('shows no message when a check for its first use fails', async () => {
      browser.expects(503);
      const page = await shown();
      await asked(page, 2, { ...NO_ANSWER, status: 503 });
      expect(await page.locator('[data-toast]').count()).to.equal(0);
    });

    it('leads nobody away from the key: a session that is over ends the checks for its first use', async () => {
      browser.expects(401);
      const page = await shown();
      let prompts = 0;
      page.on('dialog', (dialog) => {
        prompts += 1;
        void dialog.dismiss();
      });
      const count = await asked(page, 1, { status: 401, headers: { 'HX-Redirect': '/login' }, body: '' });
      await page.getByText('Run the command, then:').waitFor();
      expect(await page.locator('#reveal').getByRole('link', { name: 'See its requests' }).count()).to.equal(1);
      // Nothing is left that could ask again.
      expect(await page.locator('[hx-trigger^="every"]').count()).to.equal(0);
      expect([count(), prompts, await page.locator('[data-toast]').count()]).to.deep.equal([1, 0, 0]);
      expect(await page.locator('#reveal').isVisible()).to.equal(true);
    });
  });

  describe('shows after a moment that a request runs', () => {
    /** How long the label of the pressed button or link stays, and its colour from then on. */
    const MARK = `(async () => {
      const pressed = document.querySelector('[aria-busy=true]');
      const [animation] = pressed.getAnimations();
      await animation.finished;
      return [animation.effect.getTiming().delay, getComputedStyle(pressed).color];
    })()`;
    const UNSEEN = [150, 'rgba(0, 0, 0, 0)'];

    it('on the button of a form, which sends once and can be pressed again after a while', async () => {
      const { id } = await issue(server, as(alice), { name: 'Slow' });
      const page = await browser.as(alice, server, `${KEYS}/${id}/edit`);
      await page.clock.install();
      let posts = 0;
      // As if the reader had stopped it: the page stays.
      await page.route(`**${KEYS}/${id}/edit`, async (route) => {
        posts += 1;
        await route.fulfill({ status: 204 });
      });
      const save = page.getByRole('button', { name: 'Save changes' });
      await save.click();
      expect(await save.getAttribute('aria-disabled')).to.equal('true');
      expect(await page.evaluate(MARK)).to.deep.equal(UNSEEN);
      await save.dispatchEvent('click');
      await page.clock.fastForward(15_000);
      expect([await save.getAttribute('aria-disabled'), await save.getAttribute('aria-busy')]).to.deep.equal([
        null,
        null,
      ]);
      await page.unrouteAll();
      expect(posts).to.equal(1);
      await press(save, page.locator('#usage'));
    });

    it('on a link that opens a dialog, and along the top of the page', async () => {
      const { id } = await issue(server, as(alice), { name: 'Slowly' });
      const page = await browser.as(alice, server, `${KEYS}/${id}`);
      let answer: () => void = () => undefined;
      const waiting = new Promise<void>((resolve) => (answer = resolve));
      await page.route('**/revoke', async (route) => {
        await waiting;
        await route.continue();
      });
      await page.getByRole('link', { name: 'Revoke' }).click();
      await page.locator('a[aria-busy=true]').waitFor();
      expect(await page.evaluate(MARK)).to.deep.equal(UNSEEN);
      expect(await page.locator('html.waiting a[aria-busy=true]').count()).to.equal(1);
      answer();
      await page.locator('dialog[open]').waitFor();
      await page.locator('html:not(.waiting)').waitFor({ state: 'attached' });
      expect(await page.locator('[aria-busy]').count()).to.equal(0);
    });
  });

  it('prints the table of a list, in dark on light and without anything to press', async () => {
    const page = await browser.as(alice, server, KEYS);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.keys-table tbody tr').first().isVisible()).to.equal(true);
    expect(
      await page.locator(':is(header, footer, form, nav) :is(a.button, button, input, select):visible').count(),
    ).to.equal(0);
    expect(await page.evaluate(`getComputedStyle(document.documentElement).backgroundColor`)).to.equal(
      'rgb(255, 255, 255)',
    );
  });
});
