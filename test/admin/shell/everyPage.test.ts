import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { expectAccessible, expectNoOverflow, useBrowser } from '../../support/browser.ts';
import { addPlayer, addTenant, as, castOf, PASSWORD, type Cast, type Player } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue } from '../../support/keys.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { Visitor } from '../../support/visitor.ts';

const LONG = `${'unbreakable'.repeat(6)} 🗝 مفتاح ${'x'.repeat(20)}`;

/** Whether the current item of the navigation lies within the window. */
const CURRENT_IS_SEEN = `(() => {
  const { left, right } = document.querySelector('.shell-nav [aria-current]').getBoundingClientRect();
  return left >= -1 && right <= innerWidth + 1;
})()`;

/** All below `/admin`, dialogs as the pages that they are without scripts among them; capitals stand for ids. */
const PAGES = {
  keys: ['api-keys', 'api-keys/new', 'api-keys?q=nothing', 'api-keys/revoke?id=KEY'],
  'a key': ['api-keys/KEY', 'api-keys/KEY/edit', 'api-keys/KEY/rotate', 'api-keys/KEY/revoke'],
  'what keys do and open': ['usage', 'audit-logs', 'routes'],
  'apps, plan and security': [
    ...['marketplace', 'marketplace/cli/uninstall', 'billing', 'billing/checkouts/ORDER/confirm', 'security'],
  ],
  people: [
    ...['members', 'members/new', 'members/BOB', 'members/BOB/remove', 'members/BOB/disable'],
    'members/invitations/INVITED/withdraw',
  ],
  'tickets and organisations': [
    ...['tickets', 'tickets/new', 'tickets/TICKET', 'tickets/TICKET/close'],
    ...['tenants', 'tenants/new', 'tenants/GLOBEX/suspend'],
  ],
};

onDatabase('sqlite', 'every page', (database) => {
  const browser = useBrowser();
  let server: TestServer;
  let cast: Cast;
  let olga: Player;
  let ids: Record<string, string>;
  before(async () => {
    server = await startServer(database.env());
    cast = await castOf(server);
    const all = ['api-keys:read', 'api-keys:manage', 'audit:read', 'members:read', 'tickets:manage'] as const;
    await addPlayer(server.services, cast.acme, 'Longpermissions', { role: 'MEMBER', permissions: all });
    olga = await addPlayer(server.services, cast.acme, 'Olga', { role: 'OWNER', operator: true });
    await addTenant(server.services, LONG);
    const alice = as(cast.alice);
    const { key, id: keyId } = await issue(server, alice, { name: LONG, scopes: ['read'] });
    await server.get('/api/v1/projects', { 'x-api-key': key });
    await server.get('/api/v1/members', { 'x-api-key': key });
    await server.post('/api/billing/checkout', { plan: 'pro', reference: 'r'.repeat(100) }, alice);
    const ticket = await server.post('/api/support/tickets', { subject: LONG, message: LONG }, alice);
    const invited = await server.post('/api/members/invitations', { email: `${'long'.repeat(15)}@x.example` }, alice);
    const pending = await server.services.db('checkouts').first<{ id: string }>('id');
    ids = {
      KEY: keyId,
      ORDER: pending.id,
      TICKET: (ticket.body as { id: string }).id,
      BOB: cast.bob.id,
      INVITED: (invited.body as { id: string }).id,
      GLOBEX: cast.globex.id,
    };
  });
  after(async () => server.stop());

  const addressOf = (page: string) => `/admin/${page.replace(/[A-Z]+/, (name) => ids[name] ?? name)}`;

  for (const [theme, width, locale] of [
    ['dark', 1280, 'en'],
    ['light', 390, 'fr'],
  ] as const) {
    describe(`${theme}, ${width} pixels wide, in ${locale}, is accessible and holds at every width`, () => {
      const open = async (page: string) => browser.as(olga, server, addressOf(page), { theme, width, locale });

      for (const [about, [first = '', ...others]] of Object.entries(PAGES)) {
        it(`about ${about}`, async () => {
          const page = await open(first);
          await expectWell(page, width);
          for (const other of others) {
            await page.goto(addressOf(other));
            await expectWell(page, width);
          }
        });
      }

      it('that answers a form', async () => {
        browser.expects(422);
        const page = await open('api-keys/KEY/edit');
        for (const answer of [changeRefused, rotated, rotatedAgain]) {
          await answer(page);
          await expectWell(page, width);
        }
      });
    });
  }

  async function expectWell(page: Page, width: number): Promise<void> {
    await page.evaluate(`document.querySelectorAll('details').forEach((one) => { one.open = true; })`);
    await expectAccessible(page);
    const widths = [390, 768, 1280].filter((wide) => wide !== width);
    for (const wide of [...widths, width]) {
      await page.setViewportSize({ width: wide, height: 900 });
      await expectNoOverflow(page);
      expect(await page.evaluate(CURRENT_IS_SEEN), `${page.url()} at ${wide}`).to.equal(true);
    }
  }

  // Sent past htmx, as browsers without scripts do.
  async function send(page: Page): Promise<void> {
    await Promise.all([page.waitForEvent('load'), page.evaluate(`document.querySelector('#main form').submit()`)]);
  }

  async function changeRefused(page: Page): Promise<void> {
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
    const all = Object.values(PAGES).flat();
    for (const path of all) {
      const status = path.startsWith('tenants') ? 403 : 200;
      expect(await statusFor(cast.alice, addressOf(path)), path).to.equal(status);
    }
    for (const path of ['usage', 'audit-logs', 'routes', 'marketplace', 'tickets']) {
      expect(await statusFor(cast.carol, `/admin/${path}`), path).to.equal(200);
    }
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
      ...['security/policy', 'members/invitations', `members/${cast.alice.id}`, `members/${cast.alice.id}/remove`],
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
