import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { expectAccessible, useBrowser } from '../../support/browser.ts';
import { as, PASSWORD } from '../../support/cast.ts';
import { onDatabase, onEachDatabase } from '../../support/databases.ts';
import { issue, tried } from '../../support/keys.ts';
import { useServer, useServerWithoutCast } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage, pageOf } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');
const TOLD = 'no second key was made';

/** The id in the form of a page. */
async function formOn(visitor: Visitor, path: string): Promise<string> {
  return /name="once" value="([^"]+)"/.exec((await visitor.get(path)).text)?.[1] ?? '';
}

onEachDatabase('a form that makes a key', (database) => {
  const { server, ...cast } = useServer(database);
  const otherProcess = useServerWithoutCast(database);
  let alice: Visitor;
  let aliceElsewhere: Visitor;
  before(async () => {
    alice = new Visitor(server);
    await alice.signIn(cast.alice.email, PASSWORD);
    aliceElsewhere = new Visitor(otherProcess);
    for (const [name, value] of alice.cookies) aliceElsewhere.cookies.set(name, value);
  });

  it('makes one key, however often and to however many processes it is sent at once', async () => {
    const old = await issue(server, as(cast.alice), { name: 'Rotated' });
    for (const [path, form, fields, made] of [
      [`${KEYS}/new`, `${KEYS}/new`, { name: 'Once', scopes: 'read', environment: 'live', expires: '30' }, 'Once'],
      [`${KEYS}/${old.id}/rotate`, `${KEYS}/${old.id}/rotate`, { grace: '0' }, 'Rotated'],
      [acmePage('/marketplace'), acmePage('/marketplace'), { app: 'zapier' }, 'Zapier'],
    ] as const) {
      const before = await countNamed(made);
      const fieldsSent = { ...fields, once: await formOn(alice, form) };
      const first = [alice, aliceElsewhere, alice].map(async (visitor) => visitor.submit(path, fieldsSent));
      const answers = [...(await Promise.all(first)), await aliceElsewhere.submit(path, fieldsSent)];
      const shown = answers.filter(({ text }) => /fsk_live_\w{32}/.test(text));
      expect(shown.length, path).to.equal(1);
      expect(answers.at(-1)?.text, path).to.include(TOLD);
      expect(await countNamed(made), path).to.equal(before + 1);
    }
  });

  it('makes another key when it is opened again, and for another person', async () => {
    const fields = { name: 'Anew', scopes: 'read', environment: 'live', expires: '30' };
    for (const sent of [1, 2]) {
      await alice.submit(`${KEYS}/new`, { ...fields, once: await formOn(alice, `${KEYS}/new`) });
      expect(await countNamed('Anew')).to.equal(sent);
    }
    const charlie = new Visitor(server);
    await charlie.signIn(cast.charlie.email, PASSWORD);
    const once = await formOn(alice, `${KEYS}/new`);
    await alice.submit(`${KEYS}/new`, { ...fields, once });
    const theirs = await charlie.submit(pageOf(cast.globex, '/api-keys/new'), { ...fields, once });
    expect(theirs.text).to.match(/fsk_live_\w{32}/);
  });

  async function countNamed(name: string): Promise<number> {
    return (await server.services.db('api_keys').where({ name }).pluck('id')).length;
  }
});

onDatabase('sqlite', 'a form that makes a key in a browser', (database) => {
  const browser = useBrowser();
  const { server, ...cast } = useServer(database);

  const shownOn = async (page: Page) => page.locator('#secret').inputValue();

  for (const [what, path, button] of [
    ['creating', async () => `${KEYS}/new?name=Reloaded`, 'Create key'],
    ['rotating', async () => `${KEYS}/${(await issue(server, as(cast.alice), {})).id}/rotate`, 'Rotate'],
    ['installing', async () => acmePage('/marketplace'), 'Install Zapier'],
  ] as const) {
    it(`tells whoever reloads the answer to ${what} that the key was made, without JavaScript`, async () => {
      const page = await browser.as(cast.alice, server, await path(), { javaScript: false });
      await page.getByRole('button', { name: button }).click();
      const text = await shownOn(page);
      const count = await countKeys();
      await page.reload();
      await page.getByText(TOLD).waitFor();
      expect(await page.content()).to.not.include(text);
      expect(await countKeys()).to.equal(count);
      expect(await tried(server, text)).to.equal('200');
      const link = page.locator('#made .facts a');
      await Promise.all([page.waitForURL(`**${(await link.getAttribute('href')) ?? ''}`), link.click()]);
      await page.locator('#usage').waitFor();
    });
  }

  it('shows in a message, when the first answer never arrived, that the key was made', async () => {
    const page = await browser.as(cast.alice, server, `${KEYS}/new?name=Lost`, { locale: 'fr' });
    browser.expects(502);
    await page.route(`**${KEYS}/new`, async (route) => {
      await route.fetch();
      await route.fulfill({ status: 502, body: '' });
    });
    const create = page.getByRole('button', { name: 'Créer une clé' });
    await create.click();
    await page.locator('#toasts [data-dismiss]').click();
    await page.unroute(`**${KEYS}/new`);
    await create.click();
    await page.locator('#made[open]').getByText('aucune seconde clé n’a été créée').waitFor();
    await expectAccessible(page);
    expect(await server.services.db('api_keys').where({ name: 'Lost' }).pluck('id')).to.have.length(1);
  });

  async function countKeys(): Promise<number> {
    return (await server.services.db('api_keys').pluck('id')).length;
  }
});
