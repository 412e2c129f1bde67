import { expect } from 'chai';
import { as, castOf, type Cast } from '../support/cast.ts';
import { expectNoOverflow, useBrowser } from '../support/browser.ts';
import { onDatabase } from '../support/databases.ts';
import { issue } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';

onDatabase('sqlite', 'the page of the API', (database) => {
  const browser = useBrowser();
  let server: TestServer;
  let cast: Cast;

  before(async () => {
    server = await startServer(database.env());
    cast = await castOf(server);
  });
  after(async () => server.stop());

  it('shows every part of the API', async () => {
    const page = await browser.open(server, '/docs');
    await page.locator('.opblock-tag').first().waitFor();
    const { tags } = (await server.get('/openapi.json')).body as { tags: { name: string }[] };
    const shown = await page.locator('.opblock-tag a span').allTextContents();
    expect(shown).to.deep.equal(tags.map(({ name }) => name));
  });

  it('tries a call with a key, and forgets the key with the page', async () => {
    const { key, name } = await issue(server, as(cast.alice), {
      name: 'tried in the page',
      scopes: ['projects:write'],
    });
    const page = await browser.open(server, '/docs');
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    const form = page.locator('.auth-container', { hasText: 'x-api-key' });
    await form.locator('input').fill(key);
    await form.getByRole('button', { name: 'Apply credentials' }).click();
    await page.getByRole('button', { name: 'Close' }).first().click();

    await page.locator('#operations-tag-Who_am_I').click();
    const operation = page.locator('#operations-Who_am_I-getApiV1Whoami');
    await operation.locator('.opblock-summary-control').click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    const answer = operation.locator('.live-responses-table .response');
    expect(await answer.locator('.response-col_status').textContent()).to.match(/^\s*200/);
    expect(await answer.locator('.microlight').first().textContent()).to.include(name);

    const kept = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    expect(kept).not.to.include(key);
  });

  it('says what a call lacks', async () => {
    browser.expects(401);
    const page = await browser.open(server, '/docs#/Projects/getApiV1Projects');
    const operation = page.locator('#operations-Projects-getApiV1Projects');
    await operation.getByRole('button', { name: 'Execute' }).click();
    const answer = operation.locator('.live-responses-table .response');
    expect(await answer.locator('.response-col_status').textContent()).to.match(/^\s*401/);
    expect(await answer.locator('.microlight').first().textContent()).to.include('missing_credential');
  });

  for (const theme of ['dark', 'light'] as const) {
    it(`can be read in ${theme}, on a small screen too`, async () => {
      const page = await browser.open(server, '/docs#/Projects/postApiV1Projects', { theme, width: 390 });
      await page.locator('#operations-Projects-postApiV1Projects .opblock-body').waitFor();
      await expectNoOverflow(page);
    });
  }

  it('leads to the document without JavaScript', async () => {
    const page = await browser.open(server, '/docs', { javaScript: false });
    expect(await page.locator('noscript a').getAttribute('href')).to.equal('/openapi.json');
  });
});
