import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { expectAccessible, expectNoOverflow, useBrowser } from '../support/browser.ts';
import { addPlayer, addTenant, as, castOf, PASSWORD, type Cast, type Player } from '../support/cast.ts';
import { onDatabase } from '../support/databases.ts';
import { issue } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const LONG = `${'unbreakable'.repeat(6)} 🗝 مفتاح ${'x'.repeat(20)}`;

/** Whether the current item of the navigation lies within the window. */
const CURRENT_IS_SEEN = `(() => {
  const { left, right } = document.querySelector('.shell-nav [aria-current]').getBoundingClientRect();
  return left >= -1 && right <= innerWidth + 1;
})()`;

onDatabase('sqlite', 'every page', (database) => {
  const browser = useBrowser();
  let server: TestServer;
  let cast: Cast;
  let olga: Player;
  let paths: string[];
  /** Pages that only somebody who manages keys sees, dialogs as the pages that they are without scripts among them. */
  let keyPaths: string[];
  let keyId: string;
  before(async () => {
    server = await startServer(database.env());
    cast = await castOf(server);
    const all = ['api-keys:read', 'api-keys:manage', 'audit:read', 'members:read', 'tickets:manage'] as const;
    await addPlayer(server.services, cast.acme, 'Longpermissions', { role: 'MEMBER', permissions: all });
    olga = await addPlayer(server.services, cast.acme, 'Olga', { role: 'OWNER', operator: true });
    await addTenant(server.services, LONG);
    const alice = as(cast.alice);
    const { key, id: keyNamedLong } = await issue(server, alice, { name: LONG, scopes: ['read'] });
    keyId = keyNamedLong;
    await server.get('/api/v1/projects', { 'x-api-key': key });
    await server.get('/api/v1/members', { 'x-api-key': key });
    await server.post('/api/billing/checkout', { plan: 'pro', reference: 'r'.repeat(100) }, alice);
    const ticket = await server.post('/api/support/tickets', { subject: LONG, message: LONG }, alice);
    const { id } = ticket.body as { id: string };
    paths = [
      ...['usage', 'audit-logs', 'routes', 'marketplace', 'marketplace/cli/uninstall', 'billing', 'security'],
      ...['members', 'members/new', `members/${cast.bob.id}`, `members/${cast.bob.id}/remove`],
      ...['tickets', 'tickets/new', `tickets/${id}`, 'tenants', 'tenants/new'],
    ].map((path) => `/admin/${path}`);
    const pending = await server.services.db('checkouts').first<{ id: string }>('id');
    keyPaths = [
      ...['api-keys', 'api-keys/new', 'api-keys?q=nothing', `api-keys/revoke?id=${keyId}`],
      ...['', '/edit', '/rotate', '/revoke'].map((form) => `api-keys/${keyId}${form}`),
      ...[`members/${cast.bob.id}/disable`, `tickets/${id}/close`, `billing/checkouts/${pending.id}/confirm`],
      ...[`tenants/${cast.globex.id}/suspend`],
    ].map((path) => `/admin/${path}`);
  });
  after(async () => server.stop());

  for (const [theme, width, locale] of [
    ['dark', 1280, 'en'],
    ['light', 390, 'fr'],
  ] as const) {
    it(`is accessible, ${theme}, ${width} pixels wide, in ${locale}, and holds at every width`, async function () {
      this.timeout(60_000);
      browser.expects(422);
      const page = await browser.as(olga, server, '/admin/security', { theme, width, locale });
      for (const path of [...paths, ...keyPaths]) {
        await page.goto(path);
        await expectWell(page, width);
        if (locale === 'fr') await expectWellInTheDark(page);
      }
      for (const answer of [changeRefused, rotated, rotatedAgain]) {
        await answer(page);
        await expectWell(page, width);
      }
    });
  }

  async function expectWell(page: Page, width: number): Promise<void> {
    await page.evaluate(`document.querySelectorAll('details').forEach((one) => { one.open = true; })`);
    await expectAccessible(page);
    for (const wide of [390, 768, 1280]) {
      await page.setViewportSize({ width: wide, height: 900 });
      await expectNoOverflow(page);
      expect(await page.evaluate(CURRENT_IS_SEEN), `${page.url()} at ${wide}`).to.equal(true);
    }
    await page.setViewportSize({ width, height: 900 });
  }

  /** The same page in other colours: all else was looked at. */
  async function expectWellInTheDark(page: Page): Promise<void> {
    await page.emulateMedia({ colorScheme: 'dark' });
    await expectAccessible(page, ['color-contrast']);
    await page.emulateMedia({ colorScheme: 'light' });
  }

  // Sent past htmx, as browsers without scripts do.
  async function send(page: Page): Promise<void> {
    await Promise.all([page.waitForEvent('load'), page.evaluate(`document.querySelector('#main form').submit()`)]);
  }

  async function changeRefused(page: Page): Promise<void> {
    await page.goto(`/admin/api-keys/${keyId}/edit`);
    await page.locator('#name').fill('');
    await page.locator('#allowedIps').fill('nowhere');
    await page.evaluate(`document.querySelector('#metadata').value = 'none'`);
    await send(page);
    expect(await page.locator('#problems li').count()).to.equal(3);
  }

  async function rotated(page: Page): Promise<void> {
    const { id } = await issue(server, as(cast.alice), { name: LONG });
    await page.goto(`/admin/api-keys/${id}/rotate`);
    await send(page);
    await page.locator('#reveal').waitFor();
  }

  async function rotatedAgain(page: Page): Promise<void> {
    await page.locator('#copied').check();
    await page.reload();
    await page.locator('#made').waitFor();
  }

  it('is linked and open to whom its access says, and to nobody else', async () => {
    const open = { alice: paths.slice(0, -2), carol: ['usage', 'audit-logs', 'routes', 'marketplace', 'tickets'] };
    for (const path of open.alice) expect(await statusFor(cast.alice, path), path).to.equal(200);
    for (const path of open.carol) expect(await statusFor(cast.carol, `/admin/${path}`), path).to.equal(200);
    for (const path of ['members', 'tenants', 'tenants/new', 'members/new']) {
      expect(await statusFor(cast.carol, `/admin/${path}`), path).to.equal(403);
    }
    for (const path of [
      'usage',
      'audit-logs',
      'audit-logs/export',
      'members',
      'tenants',
      'marketplace/cli/uninstall',
    ]) {
      expect(await statusFor(cast.bob, `/admin/${path}`), path).to.equal(403);
    }
    for (const [player, hidden] of [
      [cast.bob, ['Usage', 'Audit', 'Members', 'Organisations']],
      [cast.carol, ['Members', 'Organisations']],
      [cast.alice, ['Organisations']],
    ] as const) {
      const { text } = await (await visitorOf(player)).get('/admin/security');
      for (const label of hidden) expect(text, player.name).not.to.include(`>${label}</a>`);
      expect(text).to.include('>Routes</a>');
    }
  });

  it('takes no write from whom its access refuses', async () => {
    const bob = await visitorOf(cast.bob);
    const csrf = await bob.csrf('/admin/security');
    for (const path of [
      ...['marketplace', 'marketplace/cli/uninstall', 'billing', `billing/checkouts/${cast.acme.id}/confirm`],
      ...['security/policy', 'members', `members/${cast.alice.id}`, `members/${cast.alice.id}/remove`],
      ...[`members/${cast.alice.id}/status`, 'tenants', `tenants/${cast.globex.id}/status`],
      ...[`tickets/${cast.acme.id}/answer`, `tickets/${cast.acme.id}/close`],
    ]) {
      expect((await bob.post(`/admin/${path}`, { _csrf: csrf })).status, path).to.equal(403);
      expect((await bob.post(`/admin/${path}`)).text, path).to.include('This form is out of date');
    }
  });

  const visitors = new Map<string, Promise<Visitor>>();
  async function visitorOf({ email }: Player): Promise<Visitor> {
    const signingIn = async () => {
      const visitor = new Visitor(server);
      await visitor.signIn(email, PASSWORD);
      return visitor;
    };
    const known = visitors.get(email) ?? signingIn();
    visitors.set(email, known);
    return known;
  }

  async function statusFor(player: Player, path: string): Promise<number> {
    return (await (await visitorOf(player)).get(path)).status;
  }
});
