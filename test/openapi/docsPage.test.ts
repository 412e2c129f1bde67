import { expect } from 'chai';
import { as } from '../support/cast.ts';
import { expectAccessible, expectNoOverflow, useBrowser } from '../support/browser.ts';
import { onDatabase } from '../support/databases.ts';
import { issue } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

onDatabase('sqlite', 'the page of the API', (database) => {
  const browser = useBrowser();
  const { server, alice } = useServer(database);

  it('shows every part of the API, tries a call with a key and without, and keeps the key to itself', async () => {
    browser.expects(401);
    const { key, name } = await issue(server, as(alice), { name: 'tried in the page' });
    const page = await browser.open(server, '/docs');
    const { tags } = (await server.get('/openapi.json')).body as { tags: { name: string }[] };
    await page.locator('.opblock-tag').first().waitFor();
    const shown = await page.locator('.opblock-tag a span').allTextContents();
    expect(shown).to.deep.equal(tags.map(({ name }) => name));

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

  it('fits a small screen, opened at one operation, in light', async () => {
    const page = await browser.open(server, '/docs#/Projects/postApiV1Projects', { theme: 'light', width: 390 });
    // Swagger UI draws all of the document before it opens one operation of it.
    await page.locator('#operations-Projects-postApiV1Projects .opblock-body').waitFor({ timeout: 25_000 });
    await expectNoOverflow(page);
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).to.equal('rgb(255, 255, 255)');
  });

  it('is accessible, also where an operation is open', async () => {
    const page = await browser.open(server, '/docs#/Projects/postApiV1Projects');
    await page.locator('#operations-Projects-postApiV1Projects .opblock-body').waitFor({ timeout: 25_000 });
    await page.locator('.body-param__text[aria-label]').waitFor();
    await expectAccessible(page);
  });

  it('has the look that its reader chose, and their language', async () => {
    const page = await browser.open(server, '/login', { theme: 'light' });
    await page.getByRole('button', { name: 'Français' }).click();
    await page.getByRole('button', { name: 'Sombre' }).click();
    await page.goto(`${server.url}/docs`);
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
