import { expect } from 'chai';
import { addKeyUsageHours } from '../../../db/tables/usage/apiKeyUsageHours.ts';
import { expectAccessible, useBrowser } from '../../support/browser.ts';
import { as, type Cast } from '../../support/cast.ts';
import { onDatabase, onEachDatabase } from '../../support/databases.ts';
import { issue, type Key } from '../../support/keys.ts';
import type { TestServer } from '../../support/server.ts';
import { useServer } from '../../support/useServer.ts';
import { tenantUsage } from '../../../app/usage/tenantUsage.ts';
import { acmePage } from '../../support/organisationPages.ts';

const HOUR_MS = 3_600_000;
const HOSTILE = '<img src=x onerror=alert(1)>';

/** Two keys of Acme and one of Globex, used in the hour before last and three days ago. */
async function used(server: TestServer, cast: Cast): Promise<{ busy: Key; hostile: Key }> {
  const busy = await issue(server, as(cast.alice), { name: 'Nightly export' });
  const hostile = await issue(server, as(cast.alice), { name: HOSTILE });
  const foreign = await issue(server, as(cast.charlie), { name: 'of Globex' });
  const now = Date.now();
  const hour = now - (now % HOUR_MS) - HOUR_MS;
  const made = { method: 'GET', endpoint: '/api/v1/projects', scope: 'projects:read', responseMs: 100 };
  await addKeyUsageHours(server.services.db, [
    { ...made, keyId: busy.id, tenantId: cast.acme.id, hour, ok: 40, denied: 2 },
    { ...made, keyId: busy.id, tenantId: cast.acme.id, hour: hour - 72 * HOUR_MS, ok: 10, denied: 0 },
    { ...made, keyId: hostile.id, tenantId: cast.acme.id, hour, method: 'POST', ok: 3, denied: 5 },
    { ...made, keyId: foreign.id, tenantId: cast.globex.id, hour, ok: 900, denied: 900 },
  ]);
  return { busy, hostile };
}

onEachDatabase('the usage of a tenant', (database) => {
  const { server, ...cast } = useServer(database);

  it('is the sum of its own keys alone, the busiest first', async () => {
    const { busy, hostile } = await used(server, cast);
    const { totals, keys, endpoints, denials, buckets } = await tenantUsage(
      server.services.db,
      cast.acme.id,
      '7d',
      Date.now(),
    );
    expect(totals).to.include({ requests: 60, ok: 53, denied: 7, averageMs: 5 });
    expect(keys).to.deep.equal([
      { keyId: busy.id, ok: 50, denied: 2 },
      { keyId: hostile.id, ok: 3, denied: 5 },
    ]);
    expect(endpoints.map(({ method, ok }) => [method, ok])).to.deep.equal([
      ['GET', 50],
      ['POST', 3],
    ]);
    expect(denials.map(({ keyId, denied }) => [keyId, denied])).to.deep.equal([
      [hostile.id, 5],
      [busy.id, 2],
    ]);
    expect(buckets.reduce((sum, { ok }) => sum + ok, 0)).to.equal(53);
  });
});

onDatabase('sqlite', 'the page of usage', (database) => {
  const browser = useBrowser();
  const { server, ...cast } = useServer(database);

  it('says that nothing was used yet', async () => {
    const page = await browser.as(cast.alice, server, acmePage('/usage'));
    await page.getByRole('heading', { name: 'No requests in this period' }).waitFor();
  });

  for (const javaScript of [true, false]) {
    it(`shows a window as chart and table, and another at a click, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      if (javaScript) await used(server, cast);
      const page = await browser.as(cast.alice, server, acmePage('/usage?window=24h'), { javaScript });
      const figures = page.locator('.figures');
      expect(await figures.innerText()).to.match(/Requests\s+50\s+Accepted\s+43\s+Denied\s+7/);
      await page.getByText('Show the figures').click();
      expect(await page.getByRole('region', { name: 'Requests per hour (UTC)' }).locator('tbody tr').count()).to.equal(
        24,
      );
      expect(await page.locator('#top-keys + table').innerText()).to.include(HOSTILE);
      await page.getByRole('link', { name: '7 days' }).click();
      await page.getByText('Requests per six hours (UTC)').first().waitFor();
      expect(page.url()).to.equal(`${server.url}${acmePage('/usage?window=7d')}`);
      expect(await figures.innerText()).to.match(/Requests\s+60/);
      if (javaScript) {
        await expectAccessible(page);
        await page.goBack();
        await page.getByText('Requests per hour (UTC)').first().waitFor();
      }
    });
  }
});
