import { expect } from 'chai';
import { addKeyUsageHours } from '../../../db/tables/usage/apiKeyUsageHours.ts';
import { expectAccessible, useBrowser } from '../../support/browser.ts';
import { as, PASSWORD, type Cast } from '../../support/cast.ts';
import { readCsv } from '../../../app/domain/csv.ts';
import { Visitor } from '../../support/visitor.ts';
import { onDatabase, onEachDatabase } from '../../support/databases.ts';
import { issue, type Key } from '../../support/keys.ts';
import type { TestServer } from '../../support/server.ts';
import { useServer } from '../../support/useServer.ts';
import { emptyBuckets } from '../../../app/domain/statsPeriod.ts';
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
    { ...made, keyId: busy.id, tenantId: cast.acme.id, hour, ok: 40, denied: 2, clientErrors: 3, serverErrors: 1 },
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
      emptyBuckets('7d', Date.now()),
      Date.now(),
    );
    expect(totals).to.include({ requests: 60, ok: 53, denied: 7, errors: 4, averageMs: 5 });
    expect(keys).to.deep.equal([
      { keyId: busy.id, ok: 50, denied: 2, errors: 4 },
      { keyId: hostile.id, ok: 3, denied: 5, errors: 0 },
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

const DAY_MS = 24 * HOUR_MS;
const dayBefore = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

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
      expect(await figures.innerText()).to.match(/Requests\s+50[^]*Accepted\s+39\s+Denied\s+7[^]*Errors\s+4/);
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

  const WRONG_DAYS: [string, string, 'from' | 'to', string][] = [
    ['2026-02-30', dayBefore(0), 'from', 'There is no such day in the calendar.'],
    [dayBefore(400), dayBefore(0), 'from', 'Use is kept for 396 days.'],
    [dayBefore(1), dayBefore(3), 'to', 'The last day lies before the first.'],
    [dayBefore(1), dayBefore(-2), 'to', 'This day is still to come.'],
  ];
  it('refuses days that cannot be shown at their field, keeps what was chosen, and exports none of them', async () => {
    const visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
    for (const [from, to, wrong, why] of WRONG_DAYS) {
      const { status, text } = await visitor.get(acmePage(`/usage?from=${from}&to=${to}`));
      expect(status, why).to.equal(422);
      const field = new RegExp(
        `id="${wrong}"[^>]*aria-invalid="true"[^]*?id="${wrong}-problem">[^]*?</svg>\\s*([^<]*)<`,
      );
      expect(field.exec(text)?.[1]?.trim()).to.equal(why);
      expect(text).to.include(`value="${from}"`).and.include(`value="${to}"`);
      expect((await visitor.get(acmePage(`/usage/export?from=${from}&to=${to}`))).status, why).to.equal(400);
    }
  });

  it('shows chosen days, leads from a bar to its day, and exports what it shows with no formula in it', async () => {
    const key = await issue(server, as(cast.alice), { name: '=HYPERLINK("x")' });
    await server.get('/api/v1/whoami', { 'x-api-key': key.key });
    const page = await browser.as(cast.alice, server, acmePage('/usage'));
    await page.getByLabel('From').fill(dayBefore(20));
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('Requests per day (UTC)').first().waitFor();
    expect(new URL(page.url()).search).to.equal(`?from=${dayBefore(20)}`);
    expect(await page.getByLabel('From').inputValue()).to.equal(dayBefore(20));
    expect(await page.locator('.figures').innerText()).to.match(/Requests\s+61[^]*95th percentile\s+[\d.]+ ms/);
    const exported = await page.getByRole('link', { name: 'Export CSV' }).getAttribute('href');
    const visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
    const { headers, text } = await visitor.get(exported ?? '');
    expect(headers['content-disposition']).to.include(`usage-acme-${dayBefore(20)}-${dayBefore(0)}.csv`);
    const rows = readCsv(text.slice(1)) ?? [];
    expect(rows[0]?.cells.slice(2)).to.deep.equal([
      ...['keyId', 'keyName', 'method', 'route', 'scope', 'requests', 'accepted', 'denied', 'errors', 'averageMs'],
    ]);
    expect(rows.slice(1).reduce((sum, { cells }) => sum + Number(cells[7]), 0)).to.equal(61);
    expect(rows.map(({ cells }) => cells[3])).to.include(`'=HYPERLINK("x")`);
    expect(rows.map(({ cells }) => cells[2])).to.not.include('of Globex');
    await page.locator('.chart-bar[tabindex="0"]').click();
    await page.getByText('Requests per hour (UTC)').first().waitFor();
    expect(new URL(page.url()).search).to.equal(`?from=${dayBefore(0)}&to=${dayBefore(0)}`);
  });
});
