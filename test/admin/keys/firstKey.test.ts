import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { setUpLink } from '../../../app/auth/setUpLink.ts';
import { useBrowser } from '../../support/browser.ts';
import { PASSWORD } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { inMenu, press, row, rows, take, unfoldScopes } from '../../support/keyPages.ts';
import { tried } from '../../support/keys.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { acmePage } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');

const run = promisify(execFile);

onDatabase('sqlite', 'the first key of a new installation, in a browser', (database) => {
  const browser = useBrowser();
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer(database.env());
    for (const table of ['users', 'memberships', 'tenants', 'sessions']) await server.services.db(table).delete();
  });
  afterEach(async () => server.stop());

  for (const javaScript of [true, false]) {
    it(`goes from the set-up by way of its rotation to its end, ${javaScript ? 'with' : 'without'} JavaScript`, async function () {
      this.timeout(60_000);
      const name = 'Nightly export';
      const page = await browser.open(server, setUpLink('', server.services.secret), { javaScript });
      await page.getByLabel('Your name').fill('Ann');
      await page.getByLabel('Email').fill('ann@acme.example');
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByLabel('Organisation').fill('Acme');
      await page.locator('main button[type=submit]').click();
      await press(page.getByRole('link', { name: 'Create your first key' }), page.getByLabel('Name'));
      expect(await page.getByRole('checkbox', { name: 'read', exact: true }).isChecked()).to.equal(true);
      await page.getByLabel('Name').fill(name);
      await unfoldScopes(page);
      await page.getByRole('checkbox', { name: 'projects:write', exact: true }).check();
      await page.getByRole('checkbox', { name: 'orders:delete', exact: true }).check();
      await press(page.getByRole('button', { name: 'Create key' }), page.locator('#reveal'));

      // The line works as it stands, in a terminal.
      const { stdout } = await run('sh', ['-c', await page.locator('#try-it').innerText()]);
      expect(JSON.parse(stdout)).to.include({ type: 'api_key', name });
      const first = await take(page);

      const mine = row(page, first.slice(-4));
      expect(await mine.innerText())
        .to.include(name)
        .and.include('127.0.0.1')
        .and.include('active');
      expect(await mine.innerText()).to.not.include(first);

      await press(await inMenu(mine, 'Edit'), page.locator('#key-form'));
      await page.getByRole('checkbox', { name: 'orders:delete', exact: true }).uncheck();
      await page.getByRole('checkbox', { name: 'files:write', exact: true }).check();
      if (javaScript) {
        expect(await page.locator('[data-scope-diff]').innerText()).to.match(
          /− orders:delete[^]*\+ files:write|\+ files:write[^]*− orders:delete/,
        );
      }
      await press(page.getByRole('button', { name: 'Save changes' }), page.locator('#usage'));
      expect(await page.locator('#window .columns').innerText())
        .to.include('files:write')
        .and.not.include('orders:delete');

      await press(page.getByRole('link', { name: 'Rotate' }), page.locator('#rotate'));
      expect(await page.getByLabel('24 hours').isChecked()).to.equal(true);
      await press(page.getByRole('button', { name: 'Rotate' }), page.locator('#reveal'));
      const second = await take(page);
      expect([await tried(server, first), await tried(server, second)]).to.deep.equal(['200', '200']);

      await page.goto(KEYS);
      const old = row(page, first.slice(-4));
      expect(await old.innerText()).to.match(/rotating\s+ends in 24\sh, 1 request since/);
      await press(old.getByRole('link', { name: 'End now' }), page.locator('#revoke'));
      expect(await page.locator('#revoke').innerText())
        .to.include(name)
        .and.include('127.0.0.1')
        .and.include('2 requests');
      await press(page.getByRole('button', { name: 'End now' }), row(page, first.slice(-4)).locator('.status-revoked'));
      expect([await tried(server, first), await tried(server, second)]).to.deep.equal(['401 key_revoked', '200']);

      await press(await inMenu(row(page, second.slice(-4)), 'Revoke'), page.locator('#revoke'));
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

      await press(struck.getByRole('link'), page.locator('#usage'));
      expect(await page.locator('main').innerText())
        .to.include('Contract ended')
        .and.include('Revoked')
        .and.include('/whoami');
    });
  }
});
