import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { createRoutes } from '../../../app/routes.ts';
import { isPlatformScope } from '../../../app/domain/scopeCatalogue.ts';
import type { Route } from '../../../app/http/table.ts';
import { expectToFit, expectWellInBothThemes, useBrowser } from '../../support/browser.ts';
import { addPlayer, addTenant, as, PASSWORD, type Player } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

const HTML = 'text/html; charset=utf-8';
const LONG = `${'unbreakable'.repeat(6)} 🗝 مفتاح ${'x'.repeat(20)}`;

/** Whether the current item of the navigation lies within the window, where the page has one. */
const CURRENT_IS_SEEN = `(() => {
  const current = document.querySelector('.shell-nav [aria-current]');
  const { left, right } = current?.getBoundingClientRect() ?? { left: 0, right: 0 };
  return Boolean(current) === !/\\/membership(\\/|$)/.test(location.pathname) && left >= -1 && right <= innerWidth + 1;
})()`;

/** Below `/admin` and asked for with GET, but no pages: they lead on, or answer with a file or a part of a page. */
const NO_PAGES = [
  '/admin/front',
  acmePage(),
  ...['/audit-logs/export', '/usage/export', '/api-keys/:id/first-use', '/palette'].map((page) => acmePage(page)),
];

/** What else than its bare address a page is visited by. */
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  [acmePage('/api-keys')]: ['', '?q=nothing'],
  [acmePage('/api-keys/:id')]: ['', '?status=418'],
  [acmePage('/api-keys/revoke')]: ['?id=KEY'],
  [acmePage('/api-keys/pause')]: ['?id=KEY'],
  [acmePage('/api-keys/resume')]: ['?id=PAUSED'],
  '/admin/scopes/edit': ['?scope=projects%3Aread'],
  '/admin/scopes/remove': ['?scope=projects%3Aread'],
};

onDatabase('sqlite', 'every page of the admin', (database) => {
  const browser = useBrowser();
  const { server, acme, alice, bob, carol } = useServer(database);
  let olga: Player;
  /** What stands for a parameter of a path, by the path up to it. */
  let parameters: Record<string, string>;
  let pausedKeyId: string;
  before(async () => {
    const all = ['api-keys:read', 'api-keys:manage', 'audit:read', 'members:read', 'tickets:manage'] as const;
    await addPlayer(server.services, acme, 'Longpermissions', { role: 'MEMBER', permissions: all });
    olga = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
    const named = await addTenant(server.services, LONG);
    const headers = as(alice);
    const { key, id: keyId } = await issue(server, headers, { name: LONG, scopes: ['read'] });
    await server.get('/api/v1/projects', { 'x-api-key': key });
    await server.get('/api/v1/members', { 'x-api-key': key });
    await server.post('/api/billing/checkout', { plan: 'pro', reference: 'r'.repeat(100) }, headers);
    const ticket = await server.post('/api/support/tickets', { subject: LONG, message: LONG }, headers);
    const invited = await server.post('/api/members/invitations', { email: `${'long'.repeat(15)}@x.example` }, headers);
    ({ id: pausedKeyId } = await issue(server, headers, { name: LONG }));
    await server.post(`/api/api-keys/${pausedKeyId}/pause`, { reason: LONG.slice(0, 100) }, headers);
    const pending = await server.services.db('checkouts').first<{ id: string }>('id');
    parameters = {
      [acmePage('/api-keys/:id')]: keyId,
      [acmePage('/marketplace/:app')]: 'cli',
      [acmePage('/billing/checkouts/:id')]: pending.id,
      [acmePage('/settings/sessions/:id')]: alice.id,
      [acmePage('/members/:id')]: bob.id,
      [acmePage('/members/invitations/:id')]: (invited.body as { id: string }).id,
      [acmePage('/tickets/:id')]: (ticket.body as { id: string }).id,
      '/admin/tenants/:id': named.id,
    };
  });

  /** The routes below `/admin`, as the app states them. */
  function routesFor(method: string): Route[] {
    const below = createRoutes(server.services).table.filter(({ path }) => path.startsWith('/admin/'));
    return below
      .filter((route) => route.method === method)
      .map((route) => ({ ...route, path: route.path.replace('/admin/org/:slug', acmePage()) }));
  }

  function pages(): Route[] {
    const routes = routesFor('GET');
    // Addresses from before the organisation was named lead on, whatever stands behind their first segment.
    const old = new Set(routes.flatMap(({ path }) => (path.endsWith('/*rest') ? [path, path.slice(0, -6)] : [])));
    return routes.filter(({ path }) => !NO_PAGES.includes(path) && !old.has(path));
  }

  /** A page whose parameter nobody fills fails here, so that no page goes unvisited. */
  function addressOf(path: string): string {
    return path.replace(/^(.*\/):\w+/, (parameter, before: string) => {
      const value = parameters[parameter];
      if (value === undefined) throw new Error(`Say in \`parameters\` of this test what stands for ${parameter}.`);
      return before + value;
    });
  }

  function addressesOf({ path }: Route): string[] {
    const queries = QUERIES[path] ?? [''];
    const keyId = parameters[acmePage('/api-keys/:id')] ?? '';
    const addresses = queries.map(
      (query) => addressOf(path) + query.replace('KEY', keyId).replace('PAUSED', pausedKeyId),
    );
    // A key's page tells why it was paused.
    return path === acmePage('/api-keys/:id') ? [...addresses, acmePage(`/api-keys/${pausedKeyId}`)] : addresses;
  }

  it('is accessible in both themes and fits into every width, in English', async function () {
    this.timeout(180_000);
    const page = await browser.as(olga, server, acmePage('/settings'));
    for (const address of pages().flatMap(addressesOf)) {
      const answer = await page.goto(address);
      const type = answer?.headers()['content-type'];
      const from = answer?.request().redirectedFrom()?.url();
      const whenNone = `${address}; list it in NO_PAGES if it is none`;
      expect([answer?.status(), type, from], whenNone).to.deep.equal([200, HTML, undefined]);
      await expectWell(page);
    }
  });

  it('fits into every width in French', async function () {
    this.timeout(180_000);
    const page = await browser.as(olga, server, acmePage('/settings'), { locale: 'fr', width: 390 });
    for (const address of pages().flatMap(addressesOf)) {
      await page.goto(address);
      await openDetails(page);
      await expectToFit(page, undefined, expectCurrentSeen(page));
    }
  });

  for (const locale of ['en', 'fr'] as const) {
    it(`is accessible in both themes and fits into every width where it answers a form, in ${locale}`, async () => {
      browser.expects(422);
      const page = await browser.as(olga, server, addressOf(acmePage('/api-keys/:id/edit')), { locale });
      for (const answer of [changeRefused, rotated, rotatedAgain]) {
        await answer(page);
        await expectWell(page);
      }
    });
  }

  async function expectWell(page: Page): Promise<void> {
    await openDetails(page);
    await expectWellInBothThemes(page, expectCurrentSeen(page));
  }

  async function openDetails(page: Page): Promise<void> {
    await page.evaluate(`document.querySelectorAll('details').forEach((one) => { one.open = true; })`);
  }

  function expectCurrentSeen(page: Page) {
    return async (width: number): Promise<void> => {
      expect(await page.evaluate(CURRENT_IS_SEEN), `${page.url()} at ${width}`).to.equal(true);
    };
  }

  // Sent past htmx, as browsers without scripts do.
  async function send(page: Page): Promise<void> {
    await Promise.all([page.waitForEvent('load'), page.evaluate(`document.querySelector('#main form').submit()`)]);
  }

  async function changeRefused(page: Page): Promise<void> {
    await page.locator('#name').fill('');
    for (const [field, wrong] of Object.entries({ allowedIps: 'nowhere', metadata: 'none' })) {
      await page.evaluate(`document.querySelector('#${field}').value = '${wrong}'`);
    }
    await send(page);
    expect(await page.locator('#problems li').count()).to.equal(3);
  }

  let askedForFirstUse: Promise<unknown>;
  async function rotated(page: Page): Promise<void> {
    const { id } = await issue(server, as(alice), { name: LONG });
    await page.goto(acmePage(`/api-keys/${id}/rotate`));
    await send(page);
    askedForFirstUse = page.waitForResponse(/first-use$/);
    await page.locator('#reveal').waitFor();
  }

  async function rotatedAgain(page: Page): Promise<void> {
    await page.locator('#copied').check();
    // A reload sends the form again, also after htmx has asked whether the key was used.
    await askedForFirstUse;
    await page.reload();
    await page.locator('#made').waitFor();
  }

  it('is linked and open to whom its access says, and to nobody else', async () => {
    for (const route of pages()) {
      const { access } = route;
      const isForOperators = access.kind === 'scope' && isPlatformScope(access.scope);
      for (const address of addressesOf(route)) {
        expect(await statusFor(alice, address), address).to.equal(isForOperators ? 403 : 200);
      }
    }
    for (const path of ['/usage', '/audit-logs', '/routes', '/marketplace', '/tickets']) {
      expect(await statusFor(carol, acmePage(path)), path).to.equal(200);
    }
    for (const path of [acmePage('/members'), acmePage('/members/new'), '/admin/tenants', '/admin/tenants/new']) {
      expect(await statusFor(carol, path), path).to.equal(403);
    }
    for (const path of [
      ...['/usage', '/usage/export', '/audit-logs', '/audit-logs/export'],
      ...['/members', '/marketplace/cli/uninstall'],
    ]) {
      expect(await statusFor(bob, acmePage(path)), path).to.equal(403);
    }
    expect(await statusFor(bob, '/admin/tenants')).to.equal(403);
    for (const [player, hidden] of [
      [bob, ['Usage', 'Audit', 'Members', 'Organisations']],
      [carol, ['Members', 'Organisations']],
      [alice, ['Organisations']],
    ] as const) {
      const { text } = await (await visitorOf(player)).get(acmePage('/settings'));
      for (const label of hidden) expect(text, player.name).not.to.include(`>${label}</a>`);
      expect(text).to.include('>Routes</a>');
    }
  });

  it('leads who may not open it to a page that they may open, by its name', async () => {
    const newcomer = await addPlayer(server.services, acme, 'Newcomer', { role: 'MEMBER', permissions: [] });
    const visitor = await visitorOf(newcomer);
    const { status, text } = await visitor.get(acmePage('/api-keys'));
    expect(status).to.equal(403);
    expect(text).to.match(new RegExp(`<a class="button" href="${acmePage()}">[^]*Go to “Routes”\\s*</a>`));
    expect((await visitor.get(acmePage())).headers.location).to.match(/\/routes$/);
  });

  it('takes no write from whom its access refuses', async () => {
    const visitor = await visitorOf(bob);
    const csrf = await visitor.csrf(acmePage('/settings'));
    for (const { path, access } of routesFor('POST')) {
      const isForMembers = access.kind === 'anyone' || (access.kind === 'scope' && access.scope === 'support:write');
      if (isForMembers) continue;
      const address = addressOf(path);
      expect((await visitor.post(address, { _csrf: csrf })).status, address).to.equal(403);
      expect((await visitor.post(address)).text, address).to.include('This form is out of date');
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
