import { expect } from 'chai';
import { newId } from '../../../app/domain/id.ts';
import { UsageWriter } from '../../../app/usage/usageWriter.ts';
import { UsageTotals } from '../../../app/usage/usageTotals.ts';
import type { JournalEntry } from '../../../app/usage/usageEvent.ts';
import { expectAccessible, expectNoOverflow, useBrowser } from '../../support/browser.ts';
import { as, PASSWORD } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue, read, type Key } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const KEYS = acmePage('/api-keys');

onDatabase('sqlite', 'the page of a key', (database) => {
  const browser = useBrowser();
  const { server, ...cast } = useServer(database, { KEY_LIMIT: '600/60' });
  let used: Key;

  /** Writes requests of the key that were made so long ago. */
  async function use({ id }: Key, ...made: [ago: number, statusCode: number, ip?: string][]): Promise<void> {
    const uses = made.map(([ago, statusCode, ip = '203.0.113.9']): JournalEntry => ({
      ...({
        v: 1,
        keyId: id,
        tenantId: cast.acme.id,
        keyName: 'a key',
        method: 'GET',
        endpoint: '/api/v1/projects',
      } as const),
      ...{ statusCode, ip, scope: 'projects:read', userAgent: 'curl/8', responseMs: 12, requestId: null },
      createdAt: Date.now() - ago,
    }));
    const totals = new UsageTotals();
    for (const one of uses) totals.add(one);
    const writer = new UsageWriter(server.services.db);
    const batch = { processId: newId(), sequence: 1 };
    await writer.writeUses([{ batch, uses, json: JSON.stringify(uses) }]);
    await writer.writeSums([{ batches: [batch], totals }]);
  }
  const pageOf = async ({ id }: Key, query = '', locale = 'en') => {
    const visitor = new Visitor(server, { 'Accept-Language': locale });
    await visitor.signIn(cast.alice.email, PASSWORD);
    return visitor.get(`${KEYS}/${id}${query}`);
  };

  before(async () => {
    used = await issue(server, as(cast.alice), {
      name: 'Used',
      scopes: ['projects:read', 'orders:write'],
      monthlyQuota: 4,
    });
    const refused = Array.from({ length: 30 }, (_, n) => [3 * DAY + n, 403] as [number, number]);
    await use(used, ...refused, [3 * DAY, 200], [3 * DAY + 40, 404], [2 * DAY, 500, '198.51.100.7']);
  });

  it('begins with the last period that has requests, and says so of a key that was never used', async () => {
    const periods: [number, string][] = [
      [HOUR, '24h'],
      [3 * DAY, '7d'],
      [20 * DAY, '30d'],
      [40 * DAY, '30d'],
    ];
    for (const [ago, window] of periods) {
      const key = await issue(server, as(cast.alice), { name: `${ago}` });
      await use(key, [ago, 200]);
      const { text } = await pageOf(key);
      const current = text.split('<a').find((link) => link.includes('window=') && link.includes('aria-current'));
      expect(/href="([^"]*)"/.exec(current ?? '')?.[1]).to.equal(`${KEYS}/${key.id}?window=${window}`);
    }
    const { text } = await pageOf(await issue(server, as(cast.alice), { name: 'Never' }));
    expect(text).to.include('Never used').and.include('/api/v1/whoami').and.not.include('id="window-tabs"');
  });

  it('tells of a scope that was needed in the hour of the last request the moment of that request', async () => {
    const key = await issue(server, as(cast.alice), { name: 'Just now', scopes: ['projects:read'] });
    await use(key, [0, 200]);
    const { lastUsedAt } = await read(server, as(cast.alice), key.id);
    const { text } = await pageOf(key);
    expect(/data-label="Last">\s*<time datetime="([^"]*)"/.exec(text)?.[1]).to.equal(lastUsedAt);
  });

  it('shows how much of the quota is used and when it starts again, whatever set the limits', async () => {
    await server.get('/api/v1/projects', { 'x-api-key': used.key });
    const { text } = await pageOf(used);
    const now = new Date();
    const next = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1));
    const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' }).format(next);
    expect(text)
      .to.match(/figure-value">1 <small>\/ 4</)
      .and.include('25% used, 3 left.');
    expect(text).to.match(new RegExp(`It starts again on <time[^>]*>${day}, 00:00:00 UTC</time>\\.`));
    expect(text).to.match(/600 per minute\s*<span class="muted">the installation’s default/);
  });

  it('says of a paused key why nothing is counted, in both languages', async () => {
    const key = await issue(server, as(cast.alice), { name: 'Paused' });
    await use(key, [HOUR, 200]);
    await server.post(`/api/api-keys/${key.id}/pause`, { reason: 'incident' }, as(cast.alice));
    expect((await server.get('/api/v1/whoami', { 'x-api-key': key.key })).status).to.equal(401);
    expect((await pageOf(key)).text)
      .to.include('what is refused while it is paused is not counted below.')
      .and.include('Reason: incident');
    expect((await pageOf(key, '', 'fr')).text).to.include('n’est pas compté');
  });

  for (const [query, status] of [
    ['?status=600', 400],
    ['?route=nothing', 400],
    ['?route=GET%20/a%00b', 400],
    ['?ip=%00', 400],
    ['?route=VERIFY%20GET%20/invoices/:id', 200],
    ['?from=2026-01-01T00:00Z&to=2025-01-01T00:00Z', 400],
    ['?cursor=made-up', 400],
    ['?status=&route=&ip=', 200],
  ] as const) {
    it(`answers ${status} to the address ${query}`, async () => {
      expect((await pageOf(used, query)).status).to.equal(status);
    });
  }

  it('takes an unused scope away and stays with the period and the filter that were chosen', async () => {
    const { id, key } = await issue(server, as(cast.alice), { name: 'Old', scopes: ['projects:read', 'orders:write'] });
    await server.get('/api/v1/projects', { 'x-api-key': key });
    await server.services
      .db('api_keys')
      .where({ id })
      .update({ created_at: Date.now() - 100 * DAY });
    const page = await browser.as(cast.alice, server, `${KEYS}/${id}?window=7d&status=ok`);
    await page.getByRole('button', { name: 'Remove orders:write' }).click();
    await page.getByText('One scope was removed from Old.').waitFor();
    expect(new URL(page.url()).search).to.equal('?window=7d&status=ok');
    expect(await page.locator('.hygiene').count()).to.equal(0);
  });

  it('is at most 3,600 pixels on a phone, where the other rows of a long table are one press away', async () => {
    const page = await browser.as(cast.alice, server, `${KEYS}/${used.id}?window=7d`, {
      javaScript: false,
      width: 390,
    });
    expect(await page.evaluate('document.documentElement.scrollHeight')).to.be.at.most(3_600);
    const rows = page.locator('#request-log tbody tr:visible');
    expect(await rows.count()).to.equal(8);
    await page.getByText('Show all 25').click();
    expect(await rows.count()).to.equal(25);
    await expectNoOverflow(page);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.reload();
    expect(await rows.count()).to.equal(25);
    await page.getByRole('link', { name: 'All of it in the audit log' }).click();
    await page.waitForURL(`**/audit-logs?key=${used.id}`);
  });

  for (const javaScript of [true, false]) {
    it(`leads from its figures and bars to the requests they count, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const page = await browser.as(cast.alice, server, `${KEYS}/${used.id}?window=7d`, { javaScript });
      const log = page.locator('#requests tbody tr');
      const denied = page.locator('.legend').getByRole('link', { name: '30 denied' });
      await denied.click();
      await page.waitForURL('**/*window=7d&status=denied#requests');
      expect(await log.count()).to.equal(25);
      await page.locator('#requests').getByRole('link', { name: 'Further back' }).click();
      await page.waitForURL(/status=denied&cursor=/);
      await page.getByRole('link', { name: 'First page' }).waitFor();
      expect(await log.count()).to.equal(5);
      await page.locator('.figure', { hasText: 'Errors' }).getByRole('link', { name: '2' }).click();
      await page.waitForURL('**/*status=error#requests');
      expect(await log.allInnerTexts()).to.have.length(2);
      await page.getByRole('link', { name: 'Clear filters' }).click();
      await page.getByRole('searchbox', { name: 'Address' }).fill('198.51.');
      if (!javaScript) await page.getByRole('button', { name: 'Filter' }).click();
      await page.waitForURL(/ip=198\.51\./);
      await page.getByRole('link', { name: 'Clear filters' }).waitFor();
      expect((await log.allInnerTexts()).join())
        .to.include('500')
        .and.not.include('403');
      // One stop for the tab key, from which the arrows lead to the other bars.
      const bars = page.locator('.chart-bar');
      expect(await bars.count()).to.equal(28);
      expect(await page.locator('.chart-bar[tabindex="0"]').count()).to.equal(1);
      const errorBar = page.locator('.chart-bar[aria-label*="1 error"]').last();
      const name = await errorBar.getAttribute('aria-label');
      if (javaScript) {
        await page.locator('.chart-bar[tabindex="0"]').focus();
        await page.keyboard.press('Home');
        for (let n = 0; n < 28; n++) {
          if (await page.evaluate(`document.activeElement.getAttribute('aria-label') === ${JSON.stringify(name)}`))
            break;
          await page.keyboard.press('ArrowRight');
        }
        const tip = await page.evaluate<string>("getComputedStyle(document.activeElement, '::after').content");
        expect(tip).to.include('1 error');
        await page.keyboard.press('Enter');
      } else await errorBar.click();
      await page.waitForURL(/from=[^&]*&to=[^&]*#requests$/);
      expect(await page.locator('.chart-bar[aria-current]').getAttribute('aria-label')).to.equal(name);
      expect((await log.allInnerTexts()).join())
        .to.include('500')
        .and.not.include('403');
      if (javaScript) {
        await expectAccessible(page);
        await page.setViewportSize({ width: 390, height: 844 });
        await expectNoOverflow(page);
      }
    });
  }
});
