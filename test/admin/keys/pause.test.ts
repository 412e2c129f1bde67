import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { useBrowser } from '../../support/browser.ts';
import { as } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { inMenu, row } from '../../support/keyPages.ts';
import { issue, tried } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');

onDatabase('sqlite', 'pausing keys on the pages', (database) => {
  const browser = useBrowser();
  const { server, alice } = useServer(database);

  for (const javaScript of [true, false]) {
    it(`pauses a key from its row and resumes it from its page, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const { id, key } = await issue(server, as(alice), { name: `Exporter ${javaScript}` });
      const page = await browser.as(alice, server, KEYS, { javaScript });
      await (await inMenu(row(page, `Exporter ${javaScript}`), 'Pause')).click();
      await page.getByTestId('reason-input').fill('An outage');
      await page.getByTestId('confirm-pause').click();
      await page.getByTestId(`status-${id}`).getByText('paused').waitFor();
      expect(await tried(server, key)).to.equal('401 key_paused');

      await page.goto(`${KEYS}/${id}`);
      expect(await page.locator('main').innerText()).to.match(/Paused\s.*: An outage/);
      await page.getByRole('link', { name: 'Resume' }).click();
      await page.getByTestId('confirm-resume').click();
      await page.getByTestId(`status-${id}`).getByText('active').waitFor();
      expect(await tried(server, key)).to.equal('200');
    });

    it(`pauses and resumes all that are ticked, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const name = `Batch ${javaScript}`;
      const keys = [await issue(server, as(alice), { name }), await issue(server, as(alice), { name })];
      const page = await browser.as(alice, server, `${KEYS}?q=${name}`, { javaScript });
      const statuses = async () => Promise.all(keys.map(async ({ key }) => tried(server, key)));
      await changeAll(page, 'pause', `Pause 2 keys`);
      await page.getByText('2 keys are paused.').waitFor();
      expect(await statuses()).to.deep.equal(['401 key_paused', '401 key_paused']);

      await page.goto(`${KEYS}?q=${name}&status=paused`);
      await changeAll(page, 'resume', `Resume 2 keys`);
      await page.getByText('2 keys work again.').waitFor();
      expect(await statuses()).to.deep.equal(['200', '200']);
    });
  }

  async function changeAll(page: Page, change: 'pause' | 'resume', title: string): Promise<void> {
    for (const box of await page.locator('tbody input[type=checkbox]').all()) await box.check();
    await page.getByTestId(`${change}-chosen`).click();
    await page.getByRole('heading', { name: title }).waitFor();
    await page.getByTestId(`confirm-${change}`).click();
  }
});
