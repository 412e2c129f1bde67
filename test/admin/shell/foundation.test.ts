import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { hashToken } from '../../../app/domain/session.ts';
import { setUpLink } from '../../../app/auth/setUpLink.ts';
import {
  expectAccessible,
  expectNoOverflow,
  expectWellInBothThemes,
  openAccount,
  signIn,
  useBrowser,
} from '../../support/browser.ts';
import { addTenant, joinTenant } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage, pageOf } from '../../support/organisationPages.ts';

const HOME = acmePage('/api-keys');
const THEIRS = pageOf({ slug: 'globex' }, '/api-keys');

onDatabase('sqlite', 'the admin in a browser', (database) => {
  const browser = useBrowser();
  const { server, alice, carol, charlie } = useServer(database);
  before(async () => {
    const long = await addTenant(server.services, `An organisation whose name is ${'very '.repeat(13)}long`);
    await joinTenant(server.services, carol, long, { role: 'OWNER' });
  });

  const path = (page: Page) => page.url().replace(server.url, '');
  const attribute = (page: Page, name: string) => page.locator('html').getAttribute(name);

  for (const javaScript of [true, false]) {
    describe(javaScript ? 'with JavaScript' : 'without JavaScript', () => {
      it('leads a guest to the login, then to the page they wanted, and out again', async () => {
        const page = await browser.open(server, `${HOME}?q=a`, { javaScript });
        expect(path(page)).to.equal(`/login?next=${encodeURIComponent(`${HOME}?q=a`)}`);
        await signIn(page, alice.email);
        expect(path(page)).to.equal(`${HOME}?q=a`);
        await openAccount(page);
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.waitForURL('**/login');
        expect(await page.locator('[data-toast]').innerText()).to.include('You are signed out.');
        await page.goto(HOME);
        expect(path(page)).to.match(/^\/login/);
      });

      it('says what is wrong with a login, keeps the email and lets go on', async () => {
        browser.expects(422);
        const page = await browser.open(server, '/login', { javaScript });
        await signIn(page, alice.email, 'not the password');
        expect(await page.getByRole('alert').innerText()).to.include('The email or the password is wrong.');
        expect(await page.getByLabel('Email').inputValue()).to.equal(alice.email);
        expect(await page.getByLabel('Password').inputValue()).to.equal('');
        if (javaScript) await expectAccessible(page);
        await signIn(page, alice.email);
        expect(path(page)).to.equal(HOME);
      });

      it('speaks the other language from one click on, and comes back', async () => {
        const page = await browser.as(charlie, server, THEIRS, { javaScript });
        await openAccount(page);
        await page.getByRole('button', { name: 'Français' }).click();
        await page.waitForURL(`**${THEIRS}`);
        await page.getByRole('heading', { name: 'Clés d’API' }).waitFor();
        expect(await attribute(page, 'lang')).to.equal('fr');
        await openAccount(page);
        await page.getByRole('button', { name: 'English' }).click();
        await page.getByRole('heading', { name: 'API keys' }).waitFor();
      });

      it('changes its look at a click, keeps it, and follows the system again when asked to', async () => {
        const page = await browser.as(charlie, server, THEIRS, { javaScript, theme: 'light' });
        for (const [name, theme, ground] of [
          ['Light', 'light', 'rgb(255, 255, 255)'],
          ['Dark', 'dark', 'rgb(0, 0, 0)'],
          ['System', null, 'rgb(255, 255, 255)'],
        ] as const) {
          await openAccount(page);
          const kept = page.waitForResponse((response) => response.url().endsWith('/preferences'));
          await page.getByRole('button', { name }).click();
          expect((await kept).status()).to.equal(303);
          await page.locator(`html${theme === null ? ':not([data-theme])' : `[data-theme=${theme}]`}`).waitFor();
          await page.goto(THEIRS);
          expect(await attribute(page, 'data-theme')).to.equal(theme);
          expect(await page.evaluate(`getComputedStyle(document.documentElement).backgroundColor`)).to.equal(ground);
          expect(await page.locator('#account [name=theme][aria-pressed=true]').textContent()).to.include(name);
        }
      });

      it('switches the organisation of somebody who has two', async () => {
        const page = await browser.as(carol, server, HOME, { javaScript });
        const shown = page.locator('[popovertarget=tenants]');
        for (const [name, address] of [
          ['very very', '**/admin/org/an-organisation-*/api-keys'],
          ['Acme', `**${HOME}`],
        ] as const) {
          await shown.click();
          await page.locator('#tenants a:not([aria-current])').filter({ hasText: name }).click();
          await page.waitForURL(address);
          await shown.getByText(name).waitFor();
          await expectNoOverflow(page);
        }
      });

      it('leads to the login when the session is over, and refuses a form of another session', async () => {
        browser.expects(403);
        const page = await browser.open(server, '/login', { javaScript });
        await signIn(page, alice.email);
        const tab = await page.context().newPage();
        await tab.goto('/login');
        await page.context().clearCookies();
        await tab.goto('/login');
        await signIn(tab, alice.email);
        await openAccount(page);
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.getByRole('heading', { name: 'This form is out of date' }).waitFor();
        expect(await page.locator('main').innerText())
          .to.include('Nothing was changed.')
          .and.include('Open the page once more');

        const cookie = (await tab.context().cookies()).find(({ name }) => name === 'latchkey');
        await server.services
          .db('sessions')
          .where({ token_hash: hashToken(cookie?.value ?? '') })
          .update({ last_seen_at: 0 });
        await tab.goto(HOME);
        expect(path(tab)).to.equal(`/login?next=${encodeURIComponent(HOME)}`);
      });
    });
  }

  it('is accessible in both themes and fits into every width, with a long name of an organisation', async () => {
    browser.expects(404);
    const page = await browser.as(carol, server, HOME);
    for (const one of [HOME, '/admin/nothing']) {
      await page.goto(one);
      await expectWellInBothThemes(page);
    }
  });

  it('has a login page that is accessible in both themes and fits into every width', async () => {
    const login = await browser.open(server, '/login', { locale: 'fr' });
    expect(await attribute(login, 'lang')).to.equal('fr');
    await expectWellInBothThemes(login);
  });

  it('follows the system until somebody chooses', async () => {
    for (const [theme, ground] of [
      ['light', 'rgb(255, 255, 255)'],
      ['dark', 'rgb(0, 0, 0)'],
    ] as const) {
      const page = await browser.open(server, '/login', { theme });
      expect(await page.evaluate(`getComputedStyle(document.documentElement).backgroundColor`)).to.equal(ground);
    }
  });

  it('can be used by keyboard alone: skip link first, help at ?, focus back where it was', async () => {
    const page = await browser.as(alice, server, HOME);
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').innerText()).to.equal('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.locator(':focus').getAttribute('id')).to.equal('main');
    await page.keyboard.press('Tab');
    const before = await page.locator(':focus').innerText();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(await page.locator(':focus').innerText()).to.equal(before);
  });

  it('reacts to no shortcut once shortcuts are switched off', async () => {
    const page = await browser.as(alice, server, HOME);
    await page.keyboard.press('?');
    await page.getByLabel('Use keyboard shortcuts').uncheck();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').count()).to.equal(0);
  });

  it('leaves a shortcut to the browser where its target is not on the page', async () => {
    const page = await browser.as(alice, server, acmePage('/settings'));
    await page.evaluate(`addEventListener('keydown', ({ defaultPrevented }) => { window.taken = defaultPrevented; })`);
    for (const key of ['c', 'j', 'x', 'e']) {
      await page.keyboard.press(key);
      expect(await page.evaluate('window.taken'), key).to.equal(false);
    }
  });

  it('shows a message over the page when a request of htmx fails, and stays on the page', async () => {
    browser.expects(404);
    const page = await browser.as(alice, server, HOME);
    await page.evaluate(`htmx.ajax('GET', '/admin/nothing', { target: '#dialogs' })`);
    const toast = page.locator('#toasts [data-toast]');
    await toast.waitFor();
    expect(await toast.innerText())
      .to.include('Not found')
      .and.include('Request');
    await expectAccessible(page);
    await toast.getByRole('button', { name: 'Dismiss' }).click();
    expect(await toast.count()).to.equal(0);
    expect(path(page)).to.equal(HOME);
  });

  describe('opens dialogs that htmx fetches', () => {
    /** A page with a link to a dialog, as the server would send one. */
    async function withDialog(attributes: string, body: string): Promise<Page> {
      const page = await browser.as(alice, server, HOME);
      const dialog = `<dialog id="d" class="dialog" aria-labelledby="t" data-dialog ${attributes}>
        <div class="dialog-head"><h2 id="t">A dialog</h2></div><div class="dialog-body">${body}</div></dialog>`;
      await page.route('**/admin/dialog', async (route) => route.fulfill({ contentType: 'text/html', body: dialog }));
      await page.evaluate(`
        document.querySelector('.page-actions').innerHTML =
          '<a href="/admin/dialog" hx-get="/admin/dialog" hx-target="#dialogs">Open it</a>';
        htmx.process(document.body);
      `);
      await page.getByRole('link', { name: 'Open it' }).click();
      await page.getByRole('dialog', { name: 'A dialog' }).waitFor();
      return page;
    }

    it('with the focus inside, and back on its opener afterwards, with nothing left behind', async () => {
      const page = await withDialog('', '<button autofocus data-close>Keep key</button>');
      expect(await page.locator(':focus').innerText()).to.equal('Keep key');
      await expectAccessible(page);
      await page.keyboard.press('Escape');
      await page.locator('#d').waitFor({ state: 'detached' });
      expect(await page.locator(':focus').innerText()).to.equal('Open it');
    });

    it('which show notices that arrive while they are open', async () => {
      browser.expects(404);
      const page = await withDialog('', '<button data-close>Close</button>');
      await page.evaluate(`void htmx.ajax('GET', '/admin/nothing', { target: '#main' })`);
      await page.locator('#d [data-toast]').waitFor();
      await page.getByRole('button', { name: 'Close', exact: true }).click();
      await page.locator('body > #toasts [data-toast]').waitFor();
    });

    it('which stay open, where they must be answered, until their button closes them', async () => {
      const page = await withDialog('closedby="none" data-firm', '<button data-close>Done</button>');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      await page.mouse.click(5, 300);
      expect(await page.locator('#d').isVisible()).to.equal(true);
      await page.getByRole('button', { name: 'Done' }).click();
      await page.locator('#d').waitFor({ state: 'detached' });
    });
  });

  it('moves the whole window to the login when htmx meets a session that is over', async () => {
    browser.expects(401);
    const page = await browser.as(alice, server, HOME);
    await page.context().clearCookies();
    await page.evaluate(`void htmx.ajax('GET', '${HOME}', { target: '#dialogs' })`);
    await page.waitForURL('**/login?next=*');
    expect(path(page)).to.equal(`/login?next=${encodeURIComponent(HOME)}`);
  });
});

onDatabase('sqlite', 'the first set-up in a browser', (database) => {
  const browser = useBrowser();
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer(database.env());
    for (const table of ['users', 'memberships', 'tenants', 'sessions']) await server.services.db(table).delete();
  });
  afterEach(async () => server.stop());

  for (const javaScript of [true, false]) {
    it(`makes the first person, signed in and on the way to their first key, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      browser.expects(422);
      const link = setUpLink('', server.services.secret);
      const page = await browser.open(server, link, { javaScript, width: 390 });
      await page.getByRole('button', { name: 'Français' }).click();
      await page.getByLabel('Votre nom').fill('Ann');
      await page.getByLabel('E-mail').fill('ann@acme.example');
      await page.getByLabel('Mot de passe').fill('ann@acme.example');
      await page.getByLabel('Organisation').fill('Acme');
      await page.getByRole('button', { name: 'Configurer' }).click();
      expect(await page.getByRole('alert').innerText()).to.include('Ne doit pas être l’adresse e-mail');
      if (javaScript) await expectAccessible(page);
      await page.getByLabel('Mot de passe').fill('correct horse battery');
      await page.getByRole('button', { name: 'Configurer' }).click();
      await page.getByRole('heading', { name: 'Latchkey est configuré' }).waitFor();
      // As the browser knows the server, whose own idea of its address is only a default here.
      for (const command of await page.locator('.command').allInnerTexts()) expect(command).to.include(server.url);
      await expectNoOverflow(page);
      if (javaScript) await expectAccessible(page);
      await page.getByRole('link', { name: 'Créer votre première clé' }).click();
      await page.getByRole('heading', { name: 'Créer une clé' }).waitFor();
      await page.goto(`${server.url}${HOME}`);
      await page.getByRole('heading', { name: 'Clés d’API' }).waitFor();
    });
  }
});
