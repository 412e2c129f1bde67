import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { useBrowser } from '../../support/browser.ts';
import { as } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');

onDatabase('sqlite', 'what a screen reader announces', (database) => {
  const browser = useBrowser();
  const { server, alice } = useServer(database);
  before(async () => {
    for (const name of ['One', 'Two', 'Three']) await issue(server, as(alice), { name });
    await server.post('/api/support/tickets', { subject: 'A question', message: 'How?' }, as(alice));
  });

  const focused = async (page: Page) => page.locator(':focus').getAttribute('aria-label');

  it('is the notice of what was done, after the page has loaded, since nothing in the first HTML is announced', async () => {
    const { id } = await issue(server, as(alice), { name: 'Gone' });
    const page = await browser.as(alice, server, `${KEYS}/${id}/revoke`);
    await browser.runFirst(
      page,
      `addEventListener('load', () => {
      new MutationObserver((changes) => {
        window.told = changes.flatMap(({ addedNodes }) => [...addedNodes]).map((node) => node.textContent.trim());
      }).observe(document.querySelector('#toasts'), { childList: true });
    })`,
    );
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.locator('#toasts').getByText('Gone was revoked.').waitFor();
    expect(await page.evaluate<string[]>('window.told')).to.deep.equal(['Gone was revoked.']);
  });

  it('is how many rows a filter found', async () => {
    const page = await browser.as(alice, server, KEYS);
    const told = (id: string) => page.locator(`#${id}-region > [role=status][data-say]`);
    expect(await told('keys').innerText()).to.equal('');
    await page.getByLabel('Search').fill('T');
    await told('keys').getByText('1–2 of 2').waitFor({ state: 'attached' });
    await page.getByLabel('Search').fill('nothing such');
    await told('keys').getByText('No key matches').waitFor({ state: 'attached' });
    for (const [path, id, link, said] of [
      ['tickets', 'tickets', 'open', '1 entry shown'],
      ['usage', 'usage', '24 hours', 'No requests in this period'],
    ] as const) {
      await page.goto(acmePage(`/${path}`));
      await page.locator(`#${id}`).getByRole('link', { name: link, exact: true }).click();
      await told(id).getByText(said).waitFor({ state: 'attached' });
    }
    await page.goto(acmePage('/routes'));
    await page.getByLabel('Search').fill('whoami');
    await told('routes')
      .getByText(/^1 route of/)
      .waitFor({ state: 'attached' });
    await page.goto(acmePage('/audit-logs'));
    await page.locator('#action').selectOption('API_KEY_CREATED');
    await told('audit').getByText('entries shown').waitFor({ state: 'attached' });
  });

  it('goes on from the next message, then from the page, when one is dismissed', async () => {
    browser.expects(404);
    const page = await browser.as(alice, server, KEYS);
    const dismiss = page.locator('#toasts [data-dismiss]');
    const fail = async () => page.evaluate(`htmx.ajax('GET', '/admin/nothing', { target: '#dialogs' })`);
    await fail();
    await fail();
    await dismiss.nth(1).waitFor();
    await dismiss.first().focus();
    await page.keyboard.press('Enter');
    expect(await focused(page)).to.equal('Dismiss');
    await page.keyboard.press('Enter');
    expect(await page.locator(':focus').getAttribute('id')).to.equal('main');
  });
});
