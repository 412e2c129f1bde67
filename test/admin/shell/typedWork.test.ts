import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { openAccount, signIn, useBrowser } from '../../support/browser.ts';
import { addPlayer, as, type Player } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

const NEW_KEY = acmePage('/api-keys/new');
const NEW_TICKET = acmePage('/tickets/new');

onDatabase('sqlite', 'what was typed into a form', (database) => {
  const browser = useBrowser();
  const { server, acme, alice, carol } = useServer(database);
  let dora: Player;
  before(async () => {
    dora = await addPlayer(server.services, acme, 'Dora', { role: 'OWNER' });
    await issue(server, as(alice), { name: 'Nightly' });
  });

  const stored = async (page: Page) => page.evaluate<string>(`JSON.stringify({ ...sessionStorage })`);

  async function typeTicket(page: Page): Promise<void> {
    await page.locator('#subject').fill('A long question');
    await page.locator('#priority-high').check();
    await page.locator('#message').fill('First line\nsecond line');
  }

  async function expectTicket(page: Page): Promise<void> {
    expect(await page.locator('#subject').inputValue()).to.equal('A long question');
    expect(await page.locator('#priority-high').isChecked()).to.equal(true);
    expect(await page.locator('#message').inputValue()).to.equal('First line\nsecond line');
  }

  it('is there again after the language was switched, once, and also after the form came back with problems', async () => {
    browser.expects(422);
    const page = await browser.as(dora, server, NEW_KEY);
    await page.locator('#name').fill('Nightly export');
    await page.getByTestId('scope-read').uncheck();
    await page.getByTestId('scope-group-records').click();
    await page.getByTestId('scope-projects:read').check();
    await page.getByTestId('expires-30').check();
    await page.getByText('More', { exact: true }).click();
    await page.locator('#externalId').fill('customer 1');
    await openAccount(page);
    await page.getByRole('button', { name: 'Français' }).click();
    await page.getByRole('heading', { name: 'Créer une clé' }).waitFor();
    expect(await page.locator('#name').inputValue()).to.equal('Nightly export');
    expect(await page.getByTestId('scope-read').isChecked()).to.equal(false);
    expect(await page.getByTestId('scope-projects:read').isChecked()).to.equal(true);
    expect(await page.getByTestId('expires-30').isChecked()).to.equal(true);
    expect(await page.locator('#externalId').isVisible()).to.equal(true);
    expect(await page.locator('#externalId').inputValue()).to.equal('customer 1');
    expect(await stored(page)).to.equal('{}');

    await page.locator('#metadata').fill('no JSON');
    await page.getByTestId('create-submit').click();
    await page.locator('#problems').waitFor();
    await openAccount(page);
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('heading', { name: 'Create key' }).waitFor();
    expect(await page.locator('#name').inputValue()).to.equal('Nightly export');
    expect(await page.locator('#metadata').inputValue()).to.equal('no JSON');
    await page.reload();
    expect(await page.locator('#name').inputValue()).to.equal('');
  });

  it('stays in the form while the theme is switched, and passwords and tokens are never stored', async () => {
    const page = await browser.as(carol, server, acmePage('/settings'));
    const password = page.locator('form[action$="/password"] input[type=password]').first();
    await password.fill('a secret of mine');
    await openAccount(page);
    await page.getByRole('button', { name: 'Light' }).click();
    await page.locator('html[data-theme=light]').waitFor();
    expect(await password.inputValue()).to.equal('a secret of mine');
    expect(await stored(page)).to.equal('{}');
    await page.getByRole('button', { name: 'Français' }).click();
    await page.locator('html[lang=fr]').waitFor();
    expect(await password.inputValue()).to.equal('');
    expect(await stored(page))
      .not.to.include('secret')
      .and.not.to.include('csrf');

    const login = await browser.open(server, '/login');
    await login.getByLabel('Email').fill('ann@acme.example');
    await login.getByLabel('Password').fill('a secret of mine');
    await login.getByRole('button', { name: 'Français' }).click();
    await login.locator('html[lang=fr]').waitFor();
    expect(await login.getByLabel('E-mail').inputValue()).to.equal('ann@acme.example');
    expect(await login.getByLabel('Mot de passe').inputValue()).to.equal('');
  });

  for (const [form, path, type, submit, expectTyped] of [
    ['a plain form', NEW_TICKET, typeTicket, 'Open ticket', expectTicket],
    ['a form that htmx sends', NEW_KEY, typeKey, 'Create key', expectKey],
  ] as const) {
    it(`is there again after the session was over when it was sent, from ${form}, for the same person alone`, async () => {
      browser.expects(401, 422);
      const page = await browser.open(server, '/login');
      await signIn(page, alice.email);
      await page.goto(path);
      await type(page);
      await page.context().clearCookies();
      await page.getByRole('button', { name: submit, exact: true }).click();
      await page.waitForURL('**/login?next=*');
      await signIn(page, alice.email, 'not the password');
      await signIn(page, alice.email);
      await page.waitForURL(`**${path}`);
      await expectTyped(page);
      await page.locator('#toasts').getByText('What you had typed is here again').waitFor();

      await page.context().clearCookies();
      await page.getByRole('button', { name: submit, exact: true }).click();
      await page.waitForURL('**/login?next=*');
      await signIn(page, dora.email);
      await page.waitForURL(`**${path}`);
      expect(await page.locator('#subject, #name').inputValue()).to.equal('');
      expect(await stored(page))
        .not.to.include('question')
        .and.not.to.include('Nightly');
    });
  }

  async function typeKey(page: Page): Promise<void> {
    await page.locator('#name').fill('Nightly export');
  }

  async function expectKey(page: Page): Promise<void> {
    expect(await page.locator('#name').inputValue()).to.equal('Nightly export');
  }

  it('is asked about before a link, the Back button or a reload leaves it, and no longer once it is sent', async () => {
    const page = await browser.as(alice, server, acmePage('/tickets'));
    let answer: 'accept' | 'dismiss' = 'dismiss';
    let asked = 0;
    page.on('dialog', (dialog) => {
      if (dialog.type() === 'beforeunload') asked++;
      void dialog[answer]();
    });
    const dialog = async (leave: () => Promise<unknown>) => Promise.all([page.waitForEvent('dialog'), leave()]);
    const follow = async () => page.getByRole('link', { name: 'Usage', exact: true }).click();

    await page.goto(NEW_TICKET);
    await page.locator('#subject').pressSequentially('A');
    await page.locator('#subject').press('Backspace');
    await follow();
    await page.waitForURL('**/usage');
    await page.goto(acmePage('/api-keys'));
    await page.getByLabel('Search').pressSequentially('night');
    await follow();
    await page.waitForURL('**/usage');
    expect(asked, 'of an unchanged form and of a filter').to.equal(0);

    await page.goto(NEW_TICKET);
    await page.locator('#subject').pressSequentially('x');
    await typeTicket(page);
    await dialog(follow);
    await dialog(async () => page.evaluate(`history.back()`));
    await dialog(async () => page.evaluate(`location.reload()`));
    expect(asked).to.equal(3);
    await expectTicket(page);

    await page.getByRole('button', { name: 'Open ticket' }).click();
    await page.getByRole('heading', { name: 'A long question' }).waitFor();
    await page.goto(NEW_TICKET);
    expect(await page.locator('#subject').inputValue()).to.equal('');
    expect([asked, await stored(page)]).to.deep.equal([3, '{}']);
    await page.locator('#subject').pressSequentially('Never mind');
    answer = 'accept';
    await dialog(follow);
    await page.waitForURL('**/usage');
  });
});
