import { expect } from 'chai';
import { expectAccessible, useBrowser } from '../../support/browser.ts';
import { as } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage, pageOf } from '../../support/organisationPages.ts';

const PATH = acmePage('/tickets');
const HOSTILE = '<img src=x onerror=alert(1)>';

onDatabase('sqlite', 'the pages of tickets', (database) => {
  const browser = useBrowser();
  const { server, alice, bob, charlie } = useServer(database);

  for (const javaScript of [true, false]) {
    it(`opens a ticket, answers it, goes on and closes it, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      browser.expects(422);
      const subject = `${HOSTILE} ${javaScript ? 1 : 2}`;
      const page = await browser.as(bob, server, `${PATH}/new`, { javaScript });
      await page.getByLabel('Subject').fill(subject);
      await page.getByLabel('high').check();
      await page.getByLabel('Message', { exact: true }).fill('   ');
      await page.getByRole('button', { name: 'Open ticket' }).click();
      expect(await page.getByRole('alert').innerText()).to.include('Message: Must not be empty');
      expect(await page.getByLabel('Subject').inputValue()).to.equal(subject);
      expect(await page.getByLabel('high').isChecked()).to.equal(true);
      await page.getByLabel('Message', { exact: true }).fill(`First line\nsecond line ${HOSTILE}`);
      await page.getByRole('button', { name: 'Open ticket' }).click();
      await page.getByText('The ticket is open.').waitFor();
      expect(await page.locator('.said-text').innerText()).to.equal(`First line\nsecond line ${HOSTILE}`);
      expect(await page.getByRole('button', { name: 'Answer' }).count()).to.equal(0);

      const owner = await browser.as(alice, server, PATH, { javaScript });
      await owner.getByRole('link', { name: subject }).click();
      await owner.getByLabel('Message', { exact: true }).fill('Do this.');
      await owner.getByRole('button', { name: 'Answer' }).click();
      await owner.getByText('The ticket is answered.').waitFor();
      if (javaScript) await expectAccessible(owner);

      await page.reload();
      await page.getByLabel('Message', { exact: true }).fill('זה עזר.');
      await page.getByRole('button', { name: 'Add message' }).click();
      await page.getByText('The message was added.').waitFor();
      expect(await page.locator('.said').count()).to.equal(3);
      expect(await page.locator('.said-text:dir(rtl)').innerText()).to.equal('זה עזר.');

      await owner.reload();
      await owner.getByRole('link', { name: 'Close ticket' }).click();
      await owner.getByRole('button', { name: 'Close ticket' }).click();
      await owner.getByText('The ticket is closed.').waitFor();
      await owner.getByText('This ticket is closed.').waitFor();
      await owner.goto(`${PATH}?status=closed`);
      await owner.getByRole('link', { name: subject }).waitFor();
    });
  }

  it('keeps what was written to a ticket that was closed meanwhile', async () => {
    browser.expects(409);
    const opened = await server.post('/api/support/tickets', { subject: 'Slow', message: 'x' }, as(bob));
    const { id } = opened.body as { id: string };
    const page = await browser.as(bob, server, `${PATH}/${id}`, { locale: 'fr', javaScript: false });
    await server.post(`/api/support/tickets/${id}/close`, {}, as(alice));
    await page.getByLabel('Message', { exact: true }).fill('encore');
    await page.getByRole('button', { name: 'Ajouter un message' }).click();
    expect(await page.getByRole('alert').innerText()).to.include('Ce ticket est clos\u202f; ouvrez-en un autre.');
  });

  it('shows nobody the tickets of another tenant', async () => {
    browser.expects(404);
    const opened = await server.post('/api/support/tickets', { subject: 'Private', message: 'x' }, as(bob));
    const page = await browser.as(charlie, server, pageOf({ slug: 'globex' }, '/tickets'));
    await page.getByRole('heading', { name: 'No tickets yet' }).waitFor();
    await page.goto(`${PATH}/${(opened.body as { id: string }).id}`);
    await page.getByRole('heading', { name: 'Not found' }).waitFor();
  });
});
