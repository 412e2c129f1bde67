import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { as } from '../support/cast.ts';
import { expectAccessible, expectNoOverflow, useBrowser } from '../support/browser.ts';
import { onDatabase } from '../support/databases.ts';
import { issue } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

onDatabase('sqlite', 'the page of the API', (database) => {
  const browser = useBrowser();
  const { server, alice } = useServer(database);

  /** Leaves one path in the document that the page gets: Swagger UI takes seconds to draw all of them. */
  async function describeOnly(page: Page, path: string): Promise<void> {
    await page.route('**/openapi.json', async (route) => {
      const { body } = await server.get('/openapi.json');
      const document = body as { paths: Record<string, unknown> };
      await route.fulfill({ json: { ...document, paths: { [path]: document.paths[path] } } });
    });
  }

  it('shows every part of the API, opened at one operation, and is accessible and fits a small screen in light', async () => {
    const page = await browser.open(server, '/docs#/Projects/postApiV1Projects');
    // Swagger UI draws all of the document before it opens one operation of it, which takes seconds: once for all of this.
    await page.locator('#operations-Projects-postApiV1Projects .opblock-body').waitFor({ timeout: 25_000 });
    const { tags } = (await server.get('/openapi.json')).body as { tags: { name: string }[] };
    const shown = await page.locator('.opblock-tag a span').allTextContents();
    expect(shown).to.deep.equal(tags.map(({ name }) => name));

    await page.locator('.body-param__text[aria-label]').waitFor();
    await expectAccessible(page);

    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 390, height: 844 });
    await expectNoOverflow(page);
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).to.equal('rgb(255, 255, 255)');
  });

  it('tries a call with a key and without, and keeps the key to itself', async () => {
    browser.expects(401);
    const { key, name } = await issue(server, as(alice), { name: 'tried in the page' });
    const page = await browser.open(server, '/login');
    await describeOnly(page, '/api/v1/whoami');
    await page.goto('/docs');
    await page.locator('#operations-tag-Who_am_I').click();
    const operation = page.locator('#operations-Who_am_I-getApiV1Whoami');
    const execute = operation.getByRole('button', { name: 'Execute' });
    const answer = operation.locator('.live-responses-table .response');
    await operation.locator('.opblock-summary-control').click();
    await execute.click();
    await answer.getByText('missing_credential').first().waitFor();
    expect(await answer.locator('.response-col_status').textContent()).to.match(/^\s*401/);

    await page.getByRole('button', { name: 'Authorize' }).first().click();
    const form = page.locator('.auth-container', { hasText: 'BearerAuth' });
    await form.locator('input').fill(key);
    await form.getByRole('button', { name: 'Apply credentials' }).click();
    await page.getByRole('button', { name: 'Close' }).first().click();
    await execute.click();
    await answer.getByText(name).first().waitFor();
    expect(await answer.locator('.response-col_status').textContent()).to.match(/^\s*200/);

    const kept = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    expect(kept).not.to.include(key);
  });

  it('has the look that its reader chose, and their language', async () => {
    const page = await browser.open(server, '/login', { theme: 'light' });
    await page.getByRole('button', { name: 'Français' }).click();
    await page.getByRole('button', { name: 'Sombre' }).click();
    await describeOnly(page, '/api/v1/whoami');
    await page.goto('/docs');
    expect(await page.locator('html').getAttribute('lang')).to.equal('fr');
    expect(await page.locator('.docs-header').innerText()).to.include('Référence de l’API');
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).to.equal('rgb(0, 0, 0)');
    expect(await page.evaluate(`document.documentElement.classList.contains('dark-mode')`)).to.equal(true);
    expect(await page.locator('#docs').getAttribute('lang')).to.equal('en');
  });

  it('leads to the document without JavaScript', async () => {
    const page = await browser.open(server, '/docs', { javaScript: false });
    expect(await page.locator('noscript a').getAttribute('href')).to.equal('/openapi.json');
  });
});
