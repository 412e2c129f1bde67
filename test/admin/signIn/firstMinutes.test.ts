import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { firstStart } from '../../../app/firstStart.ts';
import { expectAccessible, useBrowser } from '../../support/browser.ts';
import { PASSWORD } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { useServerWithoutCast } from '../../support/useServer.ts';

const run = promisify(execFile);

for (const javaScript of [true, false]) {
  onDatabase('sqlite', `the first five minutes, ${javaScript ? 'with' : 'without'} JavaScript`, (database) => {
    const browser = useBrowser();
    const server = useServerWithoutCast(database);
    let link: string;

    it('lead from the printed link to a key, a command that works, and its use', async function () {
      this.timeout(60_000);
      await firstStart(server.services);
      link = /\/setup\?token=[\w-]+/.exec(server.log.join(''))?.[0] ?? '';
      const page = await browser.open(server, link, { javaScript });
      await page.getByLabel('Your name').fill('Ann');
      await page.getByLabel('Email').fill('ann@acme.example');
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByLabel('Organisation').fill('Acme');
      await page.getByRole('button', { name: 'Set up' }).click();

      // Whoever has just chosen a password is not asked for it.
      await page.getByRole('link', { name: 'Create your first key' }).click();
      expect(await page.getByLabel('Name').inputValue()).to.equal('First key');
      await page.getByRole('button', { name: 'Create key' }).click();

      const waiting = page.getByText(
        javaScript ? 'Run the command: the key’s first request will appear here.' : 'Run the command, then:',
      );
      await waiting.waitFor();
      if (javaScript) await expectAccessible(page);
      const command = await page.locator('#try-it').innerText();
      const { stdout } = await run('sh', ['-c', command]);
      expect(JSON.parse(stdout)).to.deep.include({ type: 'api_key', name: 'First key' });

      const used = page.getByText('First request: GET /api/v1/whoami from 127.0.0.1, answered with 200.');
      if (javaScript) {
        await used.waitFor();
        expect(await waiting.count()).to.equal(0);
        await expectAccessible(page);
      }
      // The key stays on its page: its requests open in another one.
      const [requests] = await Promise.all([
        page.context().waitForEvent('page'),
        page.getByRole('link', { name: 'See its requests' }).click(),
      ]);
      await requests.locator('#requests tbody tr').waitFor();
      expect(await requests.locator('#requests tbody').innerText())
        .to.include('GET /api/v1/whoami')
        .and.include('curl/');
      expect(await page.getByLabel('The key', { exact: true }).inputValue()).to.match(/^fsk_live_\w{32}$/);
    });

    it('end the use of the link, which then says so and leads to sign-in', async () => {
      browser.expects(410);
      const page = await browser.open(server, link, { javaScript });
      await page.getByRole('heading', { name: 'Latchkey is already set up' }).waitFor();
      await page.getByText('This link worked once').waitFor();
      await page.getByRole('link', { name: 'Go to sign-in' }).click();
      await page.waitForURL('**/login');
    });

    it('are all in the audit log, from the first step on', async () => {
      const actions = await server.services.db('audit_logs').orderBy('id').pluck<string[]>('action');
      expect(actions).to.deep.equal([
        ...['TENANT_CREATED', 'USER_CREATED', 'MEMBER_ADDED', 'LOGIN'],
        ...['API_KEY_CREATED', 'API_KEY_USED'],
      ]);
    });
  });
}
