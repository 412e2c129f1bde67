import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { systemContext } from '../../../app/actions/actionContext.ts';
import { makeResetLink } from '../../../app/actions/people/resetPassword.ts';
import { expectAccessible, expectNoOverflow, signIn, useBrowser } from '../../support/browser.ts';
import { addPlayer, as, type Player } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

onDatabase('sqlite', 'the page of an invitation', (database) => {
  const browser = useBrowser();
  const { server, globex, alice, bob, carol, charlie } = useServer(database);
  let olga: Player;
  before(async () => {
    olga = await addPlayer(server.services, globex, 'Olga', { role: 'MEMBER' });
  });

  let count = 1;
  async function linkFor(email = `new${count++}@acme.example`): Promise<string> {
    const answer = await server.post('/api/members/invitations', { email, role: 'ADMIN' }, as(alice));
    const { pathname, search } = new URL((answer.body as { url: string }).url);
    return pathname + search;
  }

  async function expectWell(page: Page): Promise<void> {
    expect(page.url()).not.to.include('token');
    expect(await page.content()).not.to.match(/token=/);
    await expectAccessible(page);
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: 844 });
      await expectNoOverflow(page);
    }
  }

  it('makes an account and joins without JavaScript, and keeps the name where the password is too short', async () => {
    browser.expects(422);
    const page = await browser.open(server, await linkFor('grace@acme.example'), { javaScript: false });
    await page.getByLabel('Your name').fill('Grace');
    await page.getByLabel('Choose a password').fill('ten letters');
    await page.evaluate(`document.querySelector('#password').value = 'short'`);
    await page.evaluate(`document.querySelector('form[action="/invitation/join"]').submit()`);
    await page.getByRole('alert').waitFor();
    expect(await page.getByLabel('Your name').inputValue()).to.equal('Grace');
    await page.getByLabel('Choose a password').fill('a long evening walk');
    await page.getByRole('button', { name: 'Make an account and join' }).click();
    await page.waitForURL(/\/admin\//);
    expect(await page.locator('.tenant').innerText()).to.include('Acme');
  });

  it('lets somebody with an account sign in and accept, and lands in the new organisation', async () => {
    const page = await browser.open(server, await linkFor(olga.email));
    await page.getByRole('link', { name: 'Sign in' }).click();
    await signIn(page, olga.email);
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.waitForURL(/\/admin\//);
    expect(await page.locator('[popovertarget=tenants] bdi').innerText()).to.equal('Acme');
    await page.getByText('You are now a member of Acme.').waitFor();
  });

  it('keeps the link when the language is switched', async () => {
    const page = await browser.open(server, await linkFor());
    await page.getByRole('button', { name: 'FR' }).click();
    await page.getByRole('heading', { name: 'Rejoindre Acme' }).waitFor();
  });

  for (const [theme, width, locale] of [
    ['dark', 1280, 'en'],
    ['light', 390, 'fr'],
  ] as const) {
    it(`is accessible and holds at every width, ${theme}, in ${locale}, as are its other states, the reader’s membership and the new password`, async () => {
      browser.expects(404, 422);
      const looking = { theme, width, locale };
      const link = await linkFor(charlie.email);
      await expectWell(await browser.open(server, link, looking));
      await expectWell(await browser.as(charlie, server, link, looking));
      await expectWell(await browser.as(bob, server, link, looking));
      await expectWell(await browser.as(bob, server, acmePage('/membership'), looking));
      const gone = await browser.open(server, '/invitation?token=none', looking);
      expect(await gone.getByRole('heading').first().innerText()).to.match(/Not found|Introuvable/);
      const { token } = await makeResetLink(systemContext(server.services.db, ''), carol.id);
      const reset = await browser.open(server, `/reset?token=${token}`, looking);
      await expectWell(reset);
      await reset.evaluate(`document.querySelector('#main form').noValidate = true`);
      await reset.locator('#wanted').fill('short');
      await reset.locator('#main form button').click();
      await reset.getByRole('alert').waitFor();
      await expectWell(reset);
    });
  }
});
