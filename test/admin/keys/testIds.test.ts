import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { ROOT } from '../../../app/root.ts';
import { useBrowser } from '../../support/browser.ts';
import { as, PASSWORD } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { tried } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');

onDatabase('sqlite', 'the data-testid of every control in the life of a key', (database) => {
  const browser = useBrowser();
  const { server, alice } = useServer(database);

  const used = new Set<string>();

  /** The one element of this name, noted under the name that the documentation has for it. */
  function at(page: Page, name: string, id?: string) {
    used.add(name);
    return page.getByTestId(id === undefined ? name : name.replace('<id>', id));
  }

  for (const javaScript of [true, false]) {
    it(`leads from signing in to a revoked key ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const name = `By test id ${javaScript ? 'with' : 'without'}`;
      const page = await browser.open(server, '/settings/api-keys', { javaScript });
      await at(page, 'email-input').fill(alice.email);
      await at(page, 'password-input').fill(PASSWORD);
      await at(page, 'sign-in-submit').click();
      await page.waitForURL(`**${KEYS}`);
      await at(page, 'create-api-key-button').click();
      await at(page, 'name-input').fill(name);
      await at(page, 'description-input').fill('Made in a browser');
      await at(page, 'environment-live').check();
      await at(page, 'scope-group-records').click();
      await at(page, 'scope-projects:write').check();
      await at(page, 'scope-group-services').click();
      await at(page, 'scope-support:*').check();
      await at(page, 'expires-30').check();
      await at(page, 'create-submit').click();
      const first = await take(page, javaScript);
      expect(await tried(server, first)).to.equal('200');
      const { id } = (await server.get('/api/v1/whoami', { 'x-api-key': first })).body as { id: string };

      await at(page, 'api-keys-list').waitFor();
      expect(await at(page, 'key-<id>', id).innerText()).to.include(name);
      expect(await at(page, 'status-<id>', id).innerText()).to.match(/expir|active/i);
      await menuLink(page, 'edit-<id>', id);
      await at(page, 'name-input').fill(`${name}, renamed`);
      await at(page, 'edit-submit').click();
      await page.goto(KEYS);
      expect(await at(page, 'name-<id>', id).innerText()).to.equal(`${name}, renamed`);

      await at(page, 'rotate-<id>', id).click();
      await at(page, 'grace-0').check();
      await at(page, 'confirm-rotate').click();
      const second = await take(page, javaScript);
      expect([await tried(server, first), await tried(server, second)]).to.deep.equal(['401 key_revoked', '200']);
      const next = (await server.get('/api/v1/whoami', { 'x-api-key': second })).body as { id: string };
      await menuLink(page, 'revoke-<id>', next.id);
      await at(page, 'reason-input').fill('No longer needed');
      await at(page, 'confirm-revoke').click();
      await at(page, 'status-<id>', next.id)
        .filter({ hasText: /^revoked$/i })
        .waitFor();
      expect(await tried(server, second)).to.equal('401 key_revoked');
      await at(page, 'name-<id>', next.id).click();
      expect(await page.getByTestId(`status-${next.id}`).innerText()).to.match(/^revoked/i);
    });
  }

  /** Presses a link of the menu of a row, which a browser opens without scripts too. */
  async function menuLink(page: Page, name: string, id: string): Promise<void> {
    expect(await at(page, name, id).isVisible(), 'before its menu is open').to.equal(false);
    await at(page, 'menu-<id>', id).click();
    await at(page, name, id).click();
  }

  it('is listed in CONTRIBUTING.md', () => {
    const listed = readFileSync(path.join(ROOT, 'CONTRIBUTING.md'), 'utf8');
    const names = [...used].map((name) =>
      name
        .replace(/^scope-group-.*/, 'scope-group-<group>')
        .replace(/^scope-(?!group-).*/, 'scope-<scope>')
        .replace(/^(expires|grace|environment)-.*/, '$1-<value>'),
    );
    expect([...new Set(names)].filter((name) => !listed.includes(`\`${name}\``))).to.deep.equal([]);
  });

  it('names each control once on its page', async () => {
    await server.post('/api/api-keys', { name: 'one' }, as(alice));
    await server.post('/api/api-keys', { name: 'two' }, as(alice));
    for (const address of [KEYS, `${KEYS}/new`]) {
      const page = await browser.as(alice, server, address);
      const elements = await page.locator('[data-testid]').all();
      const ids = await Promise.all(elements.map(async (element) => element.getAttribute('data-testid')));
      expect(ids.length).to.be.greaterThan(5);
      expect(new Set(ids).size, address).to.equal(ids.length);
    }
  });

  /** The text of the key that is shown this once, copied where scripts can. */
  async function take(page: Page, canCopy: boolean): Promise<string> {
    const text = await at(page, 'created-key-input').inputValue();
    if (canCopy) {
      await at(page, 'copy-key-button').click();
      expect(await page.evaluate('navigator.clipboard.readText()')).to.equal(text);
    }
    await at(page, 'key-copied-checkbox').check();
    await at(page, 'close-reveal').click();
    return text;
  }
});
