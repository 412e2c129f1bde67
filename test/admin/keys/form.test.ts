import { expect } from 'chai';
import type { Locator, Page } from 'playwright-core';
import { changeTenant } from '../../../db/tables/tenants.ts';
import { changePolicy, DEFAULT_POLICY } from '../../../app/domain/policy.ts';
import { expectAccessible, expectNoOverflow, useBrowser } from '../../support/browser.ts';
import { addPlayer, addTenant, as, PASSWORD } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue, rotate, tried } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage, pageOf } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');

interface StoredKey {
  description: string | null;
  scopes: string;
  rate_window_seconds: number;
  created_at: number;
  expires_at: number;
}

onDatabase('sqlite', 'the form of a key in a browser', (database) => {
  const browser = useBrowser();
  const { server, ...cast } = useServer(database);

  async function attributes(elements: Locator, name: string): Promise<(string | null)[]> {
    return Promise.all((await elements.all()).map(async (element) => element.getAttribute(name)));
  }

  async function stored(name: string): Promise<StoredKey> {
    const key = await server.services
      .db('api_keys')
      .where({ name })
      .orderBy('id', 'desc')
      .first<StoredKey | undefined>();
    if (!key) throw new Error(`No key is named ${name}`);
    return key;
  }

  for (const javaScript of [true, false]) {
    it(`comes back with what is wrong and all that was written, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      browser.expects(422);
      const page = await browser.as(cast.alice, server, `${KEYS}/new`, { javaScript });
      await page.getByLabel('Description').fill('Kept');
      await page.getByRole('checkbox', { name: 'read', exact: true }).uncheck();
      await page.getByLabel('30 days').check();
      await page.getByText('Limits', { exact: true }).click();
      await page.getByLabel('Networks').fill('10.0.0.0/8\nnowhere');
      await page.getByLabel('Rate limit').fill('many');
      await page.getByRole('button', { name: 'Create key' }).click();
      const summary = page.getByRole('alert');
      await summary.waitFor();
      expect(await summary.innerText())
        .to.include('4 things to correct')
        .and.include('Name: Must not be empty')
        .and.include('Scopes: Select at least one scope')
        .and.include('Networks: Must be an IP address or a CIDR network')
        .and.include('Rate limit: Must be a whole number');
      await page.locator('#problems:focus').waitFor();
      expect(await page.getByLabel('Description').inputValue()).to.equal('Kept');
      expect(await page.getByLabel('30 days').isChecked()).to.equal(true);
      expect(await page.getByLabel('Networks').inputValue()).to.equal('10.0.0.0/8\nnowhere');
      expect(await page.title()).to.match(javaScript ? /Create key/ : /^Not saved/);
      if (javaScript) await expectAccessible(page);

      await summary.getByRole('link', { name: /^Name/ }).click();
      expect(await page.locator(':focus').getAttribute('id')).to.equal('name');
      await page.getByLabel('Name').fill('At last');
      await page.getByRole('checkbox', { name: 'read', exact: true }).check();
      await page.getByLabel('Networks').fill('10.0.0.0/8');
      await page.getByLabel('Rate limit').fill('100');
      await page.getByRole('button', { name: 'Create key' }).click();
      await page.locator('#reveal').waitFor();
      const made = await server.services.db('api_keys').where({ name: 'At last' }).orderBy('id', 'desc').first<{
        rate_limit: number;
        rate_window_seconds: number;
        allowed_ips: string;
        expires_at: number;
        created_at: number;
      }>();
      expect([made.rate_limit, made.rate_window_seconds, made.allowed_ips]).to.deep.equal([100, 60, '["10.0.0.0/8"]']);
      expect(Math.round((made.expires_at - made.created_at) / 86_400_000)).to.equal(30);
    });
  }

  it('offers no scope that stands for a permission its reader lacks or that is of the platform, and names one that is asked for anyway', async () => {
    browser.expects(422);
    const permissions = ['api-keys:manage', 'members:read'] as const;
    const adam = await addPlayer(server.services, cast.acme, 'Adam', { role: 'ADMIN', permissions });
    const offered = async (page: Page) => attributes(page.locator('input[name=scopes]'), 'value');
    const page = await browser.as(adam, server, `${KEYS}/new?name=Members`, { locale: 'fr' });
    expect(await offered(page)).to.include.members(['read', 'members:read', 'users:read', 'api-keys:write']);
    for (const scope of ['members:write', 'members:delete', 'members:*', 'users:write', 'users:*', 'admin:*']) {
      expect(await offered(page)).not.to.include(scope);
    }
    await page.evaluate(`document.querySelector('input[name=scopes][value=read]').value = 'members:write'`);
    await page.getByRole('button', { name: 'Créer une clé' }).click();
    const refused = 'Vous n’avez pas le droit que suppose un accès\u00a0: members:write → members:manage';
    expect(await page.getByRole('alert').innerText()).to.include(refused);
    expect(await server.services.db('api_keys').where({ name: 'Members' })).to.deep.equal([]);
    const alice = await browser.as(cast.alice, server, `${KEYS}/new`);
    expect(await offered(alice)).to.include.members(['members:write', 'users:*', 'admin:*']);
    const olga = await addPlayer(server.services, cast.acme, 'Olga', { role: 'OWNER', operator: true });
    const operator = await browser.as(olga, server, `${KEYS}/new`);
    expect((await offered(operator)).filter((scope) => scope?.startsWith('platform:'))).to.deep.equal([]);
    await operator.goto(`${KEYS}/new?scopes=platform:verify`);
    expect(await operator.getByTestId('scope-platform:verify').isChecked()).to.equal(true);
  });

  it('is filled in by the query of its address, and by presets', async () => {
    const page = await browser.as(
      cast.alice,
      server,
      `${KEYS}/new?name=Export&scopes=orders:read,write:files,nothing:such&expires=365`,
    );
    expect(await page.getByLabel('Name').inputValue()).to.equal('Export');
    expect(await page.getByLabel('365 days').isChecked()).to.equal(true);
    const ticked = async () => attributes(page.locator('input[name=scopes]:checked'), 'value');
    expect(await ticked()).to.deep.equal(['orders:read', 'files:write']);
    await page.getByRole('link', { name: 'Read-only' }).click();
    expect(await ticked()).to.deep.equal(['read']);
    expect(await page.getByLabel('Name').inputValue()).to.equal('Export');
    await page.getByRole('link', { name: 'CI', exact: true }).click();
    expect(await ticked()).to.deep.equal(['read', 'projects:write', 'files:write', 'builder:write']);
    expect(await page.getByTestId('scope-builder:write').isVisible()).to.equal(true);
    await page.getByLabel('Search scopes').fill('stock');
    expect(await page.locator('[data-scope-row]:visible .scope-name').allInnerTexts()).to.deep.equal(['inventory']);
    await page.getByTestId('scope-inventory:*').check();
    expect(await page.locator('[data-scope="inventory:*"]').innerText()).to.include('opens 5 routes');
    await page.getByLabel('Search scopes').fill('zzz');
    await page.getByText('No scope matches.').waitFor();
  });

  it('folds the groups of scopes, and so fits into 1,600 pixels at 1280 wide, and 2,600 on a phone', async () => {
    for (const [width, most] of [
      [1280, 1_600],
      [390, 2_600],
    ] as const) {
      const page = await browser.as(cast.alice, server, `${KEYS}/new`, { width, locale: width < 720 ? 'fr' : 'en' });
      expect(await page.evaluate('document.documentElement.scrollHeight')).to.be.below(most);
      expect(await page.locator('.scope-group[open] .scope-group-title').allInnerTexts()).to.have.length(1);
      await expectNoOverflow(page);
    }
  });

  for (const javaScript of [true, false]) {
    it(`shows what a chosen scope includes as a dimmed tick that is not sent, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const page = await browser.as(cast.alice, server, `${KEYS}/new?name=Rows&scopes=orders:write`, { javaScript });
      const mark = async (scope: string) =>
        page.evaluate<string>(
          `getComputedStyle(document.querySelector('[data-scope="${scope}"] input'), '::before').clipPath`,
        );
      expect(await mark('orders:read')).to.match(/^polygon/);
      expect(await mark('orders:delete')).to.equal('none');
      await page.getByTestId('scope-orders:*').check();
      expect(await mark('orders:delete')).to.match(/^polygon/);
      await page.getByTestId('scope-group-general').click();
      expect(await mark('products:read')).to.equal('none');
      await page.getByTestId('scope-read').check();
      expect(await mark('products:read')).to.match(/^polygon/);
      expect(await page.getByText('acts as an owner: it can').isVisible()).to.equal(false);
      await page.getByTestId('scope-group-everything').click();
      await page.getByTestId('scope-*').check();
      expect(await page.getByText('acts as an owner: it can').isVisible()).to.equal(true);
      await page.getByTestId('scope-*').uncheck();
      if (javaScript) {
        expect(await page.locator('.chosen-list').innerText()).to.match(/^read\s+orders:write\s+orders:\*$/);
        expect(await page.getByTestId('scope-group-records').innerText()).to.match(/2 chosen of 24$/);
        expect(await page.getByTestId('scope-orders:read').getAttribute('aria-describedby')).to.include(
          'scope-included',
        );
        await page.getByRole('button', { name: 'Remove read', exact: true }).click();
        expect(await page.locator(':focus').getAttribute('value')).to.equal('orders:write');
        await page.getByRole('button', { name: 'Remove orders:write' }).click();
        await expectAccessible(page);
      } else {
        await page.getByTestId('scope-read').uncheck();
        await page.getByTestId('scope-orders:write').uncheck();
      }
      await page.getByTestId('create-submit').click();
      await page.locator('#reveal').waitFor();
      const { scopes } = await stored('Rows');
      expect(scopes).to.equal('["orders:*"]');
    });
  }

  it('keeps scopes in every combination, those that nothing offers and any time window, and removes them where asked', async () => {
    const { id } = await issue(server, as(cast.alice), {
      ...{ name: 'Odd', scopes: ['orders:read', 'orders:delete', 'billing:*'] },
      rateLimit: { limit: 10, windowSeconds: 90 },
    });
    const scopes = '["orders:read","orders:delete","billing:*","retired:read"]';
    await server.services.db('api_keys').where({ id }).update({ scopes });
    const page = await browser.as(cast.alice, server, `${KEYS}/${id}/edit`, { javaScript: false });
    expect(await page.locator('.fold-set').first().innerText()).to.equal('Rate limit: 10 / 90 seconds');
    await page.getByLabel('Description').fill('Changed');
    await page.getByTestId('edit-submit').click();
    await page.getByText('Odd was saved.').waitFor();
    expect(await stored('Odd')).to.deep.include({ scopes, description: 'Changed', rate_window_seconds: 90 });

    const second = await browser.as(cast.alice, server, `${KEYS}/${id}/edit`);
    await second.getByRole('button', { name: 'Remove retired:read' }).click();
    expect(await second.locator('.chosen-list').innerText()).to.match(/^− retired:read/);
    await second.getByRole('button', { name: 'Put back retired:read' }).click();
    expect(await second.locator('.chosen-list').innerText()).to.not.include('−');
    await second.getByRole('button', { name: 'Remove retired:read' }).click();
    await second.getByTestId('edit-submit').click();
    await second.getByText('Odd was saved.').waitFor();
    expect((await stored('Odd')).scopes).to.equal('["orders:read","orders:delete","billing:*"]');
  });

  it('is filled in like a key of the same organisation, with no more than its reader may grant', async () => {
    const wish = {
      ...{ name: 'Model', description: 'As it is', scopes: ['orders:write', 'members:write'], environment: 'test' },
      ...{ expiresInDays: 30, monthlyQuota: 500, allowedIps: ['10.0.0.0/8'], metadata: { team: 'a' } },
    };
    const { id } = await issue(server, as(cast.alice), wish);
    const adam = await addPlayer(server.services, cast.acme, 'Ada', {
      role: 'ADMIN',
      permissions: ['api-keys:manage'],
    });
    const page = await browser.as(adam, server, `${KEYS}/${id}`, { javaScript: false });
    await page.getByTestId(`duplicate-${id}`).click();
    await page.getByText('cannot grant them or nothing asks for them here: members:write.').waitFor();
    expect(await page.getByTestId('name-input').inputValue()).to.equal('Copy of Model');
    await page.getByTestId('create-submit').click();
    await page.locator('#reveal').waitFor();
    const copy = await stored('Copy of Model');
    expect(copy).to.deep.include({
      ...{ description: 'As it is', scopes: '["orders:write"]', environment: 'test', user_id: null },
      ...{ monthly_quota: 500, allowed_ips: '["10.0.0.0/8"]', metadata: '{"team":"a"}' },
    });
    expect(Math.round((copy.expires_at - copy.created_at) / 86_400_000)).to.equal(30);

    const outsider = new Visitor(server);
    await outsider.signIn(cast.charlie.email, PASSWORD);
    const theirs = pageOf(cast.globex, '/api-keys/new');
    expect((await outsider.get(theirs)).status).to.equal(200);
    for (const from of [id, 'none']) expect((await outsider.get(`${theirs}?from=${from}`)).status).to.equal(404);
  });

  it('opens a preset in a tab of its own where its reader asks for one', async () => {
    const page = await browser.as(cast.alice, server, `${KEYS}/new`);
    const [tab] = await Promise.all([
      page.context().waitForEvent('page'),
      page.getByRole('link', { name: 'Integration' }).click({ modifiers: ['Control'] }),
    ]);
    await tab.waitForURL('**/new?scopes=*');
    expect(await attributes(page.locator('input[name=scopes]:checked'), 'value')).to.deep.equal(['read']);
  });

  for (const javaScript of [true, false]) {
    it(`leads from its summary to the day that is missing, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      browser.expects(422);
      const page = await browser.as(cast.alice, server, `${KEYS}/new?name=Dayless`, { javaScript });
      await page.getByLabel('On a date').check();
      await page.getByRole('button', { name: 'Create key' }).click();
      await page.getByRole('alert').getByRole('link', { name: 'Last day: Choose the last day' }).click();
      expect(await page.locator(':focus').getAttribute('id')).to.equal('expiresOn');
      expect(await page.locator('#expiresOn').getAttribute('aria-describedby')).to.include('expiresOn-problem');
      expect(await page.locator('.field-problem').allInnerTexts()).to.deep.equal(['Choose the last day']);
    });
  }

  for (const javaScript of [true, false]) {
    it(`keeps the owner and the description of a key folded away, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      browser.expects(422);
      const page = await browser.as(cast.alice, server, `${KEYS}/new?name=Told`, { javaScript });
      const metadata = page.getByLabel('Metadata');
      expect(await metadata.isVisible()).to.equal(false);
      await page.getByText('More', { exact: true }).click();
      await page.getByLabel('Me it stops when I leave').check();
      await page.getByLabel('External id').fill('customer 42');
      await metadata.fill('{"team": ');
      const set = page.locator('.fold-set').last();
      if (javaScript)
        expect(await set.innerText()).to.equal('Belongs to: Me · External id: customer 42 · Metadata: {"team":');
      await page.getByRole('button', { name: 'Create key' }).click();
      const summary = page.getByRole('alert');
      await summary.waitFor();
      expect(await summary.innerText()).to.include('Metadata: Must be a JSON object such as {"team"');
      expect([await metadata.isVisible(), await metadata.inputValue()]).to.deep.equal([true, '{"team":']);
      await metadata.fill('{"team": "billing", "seats": 5}');
      await page.getByRole('button', { name: 'Create key' }).click();
      await page.locator('#reveal').waitFor();
      const made = await server.services.db('api_keys').where({ name: 'Told' }).orderBy('id', 'desc').first<{
        id: string;
        user_id: string;
        metadata: string;
      }>();
      expect([made.user_id, JSON.parse(made.metadata)]).to.deep.equal([cast.alice.id, { team: 'billing', seats: 5 }]);

      const second = await browser.as(cast.alice, server, `${KEYS}/${made.id}/edit`, { javaScript });
      await second.getByText('External id: customer 42 · Metadata: {').click();
      expect(await second.getByLabel('External id').inputValue()).to.equal('customer 42');
      await second.getByLabel('Metadata').fill('');
      await second.getByRole('button', { name: 'Save changes' }).click();
      await second.getByText('Told was saved.').waitFor();
      expect(await second.locator('.facts').first().innerText())
        .to.include('customer 42')
        .and.include('Alice')
        .and.not.include('billing');
    });
  }

  it('warns of keys that never end, and offers none where the policy forbids them', async () => {
    const page = await browser.as(cast.charlie, server, pageOf(cast.globex, '/api-keys/new'));
    const warning = page.getByText('A key that never expires goes on working');
    expect(await warning.isVisible()).to.equal(false);
    await page.getByLabel('Never', { exact: true }).check();
    expect(await warning.isVisible()).to.equal(true);

    const { db } = server.services;
    await changeTenant(
      db,
      cast.globex.id,
      { policy: changePolicy(DEFAULT_POLICY, { maxLifetimeDays: 30, maxGraceSeconds: 3600 }) },
      Date.now(),
    );
    await page.reload();
    expect(await attributes(page.locator('input[name=expires]'), 'value')).to.deep.equal(['7', '30', 'custom']);
    expect(await page.getByLabel('30 days').isChecked()).to.equal(true);
    await page.getByText('requires every key to expire').waitFor();
    const visitor = new Visitor(server);
    await visitor.signIn(cast.charlie.email, PASSWORD);
    const refused = await visitor.submit(pageOf(cast.globex, '/api-keys/new'), {
      name: 'For ever',
      scopes: 'read',
      environment: 'live',
      expires: 'never',
    });
    expect(refused.status).to.equal(422);
    expect(refused.text).to.include('The policy requires an expiry');
  });

  it('shows which scopes a change adds and removes, and warns where a removed scope was used lately', async () => {
    const key = await issue(server, as(cast.alice), { name: 'Busy', scopes: ['projects:read', 'orders:write'] });
    await server.get('/api/v1/projects', { 'x-api-key': key.key });
    const page = await browser.as(cast.alice, server, `${KEYS}/${key.id}/edit`, { javaScript: false });
    const used = page.locator('[data-scope="projects:read"]');
    expect(await used.innerText()).to.include('used 1 time in 90 days');
    expect(await page.locator('[data-scope="orders:write"]').innerText()).to.include('not used yet');
    expect(await used.locator('.scope-lately').isVisible()).to.equal(false);
    await used.getByRole('checkbox').uncheck();
    expect(await used.locator('.scope-lately').isVisible()).to.equal(true);
    expect(await used.locator('.scope-lately').innerText()).to.include('will be refused');
    await page.getByLabel('7 days').check();
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('Busy was saved.').waitFor();
    expect((await server.get('/api/v1/projects', { 'x-api-key': key.key })).status).to.equal(403);
    await page.reload();
    expect(await page.locator('#requests tbody tr').first().innerText())
      .to.include('403')
      .and.include('projects:read');
    await page.getByRole('link', { name: '30 days' }).click();
    await page.locator('.tabs a[aria-current]', { hasText: '30 days' }).waitFor();
    expect(await page.locator('.figures').innerText()).to.match(/Requests\s+2\s+Denied\s+1\b/);
  });

  for (const javaScript of [true, false]) {
    it(`unticks a scope that was never used, and keeps what else was typed, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const name = `Old ${javaScript}`;
      const scopes = ['projects:read', 'orders:write', 'customers:read'];
      const { id, key } = await issue(server, as(cast.alice), { name, scopes });
      await server.get('/api/v1/projects', { 'x-api-key': key });
      await server.services
        .db('api_keys')
        .where({ id })
        .update({ created_at: Date.now() - 100 * 86_400_000 });
      const page = await browser.as(cast.alice, server, `${KEYS}/${id}/edit`, { javaScript });
      const strip = page.locator('.hygiene');
      await page.getByLabel('Description').fill('Typed before');
      await strip.getByRole('button', { name: 'Remove orders:write' }).click();
      await strip.getByRole('button', { name: 'Remove orders:write' }).waitFor({ state: 'hidden' });
      expect(await page.getByTestId('scope-orders:write').isChecked()).to.equal(false);
      expect(await strip.getByRole('button').allInnerTexts()).to.deep.equal(['Remove\ncustomers:read']);
      expect(JSON.parse((await stored(name)).scopes), 'nothing is saved yet').to.deep.equal(scopes);
      // Enter presses the button that saves, and none of those before it.
      await page.getByLabel('Description').press('Tab');
      await page.getByLabel('Name').press('Enter');
      await page.getByText(`${name} was saved.`).waitFor();
      const { description, scopes: kept } = await stored(name);
      expect([description, JSON.parse(kept)]).to.deep.equal(['Typed before', ['projects:read', 'customers:read']]);
    });
  }

  it('says above the form that the plan allows no more keys, and calls no field wrong', async () => {
    const { services } = server;
    const full = await addTenant(services, 'Full');
    const owner = await addPlayer(services, full, 'Fay', { role: 'OWNER' });
    await services.db('tenants').where({ id: full.id }).update({ plan: 'starter' });
    for (let i = 0; i < 10; i++) await issue(server, as(owner), { name: `Key ${i}` });
    const visitor = new Visitor(server, { 'Accept-Language': 'fr' });
    await visitor.signIn(owner.email, PASSWORD);
    const form = { name: 'One more', scopes: 'read', environment: 'live', expires: '30' };
    const { status, text } = await visitor.submit(pageOf(full, '/api-keys/new'), form);
    expect(status).to.equal(422);
    expect(text)
      .to.include('La limite de votre offre est atteinte')
      .and.include('L’offre Starter permet 10 clés d’API\u00a0: révoquez-en une ou changez d’offre.')
      .and.include('value="One more"')
      .and.not.include('aria-invalid')
      .and.not.include('field-wrong');
  });

  it('never revokes the successor of a key that was rotated away', async () => {
    const old = await issue(server, as(cast.alice), { name: 'Moved' });
    const next = await rotate(server, as(cast.alice), old.id);
    const visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
    // Both lead to the list, which shows that the key has ended.
    expect((await visitor.get(`${KEYS}/${old.id}/revoke`)).status).to.equal(303);
    const csrf = await visitor.csrf();
    expect((await visitor.post(`${KEYS}/${old.id}/revoke`, { _csrf: csrf })).status).to.equal(303);
    expect((await visitor.post(`${KEYS}/revoke`, { _csrf: csrf, id: old.id })).status).to.equal(303);
    expect(await tried(server, next.key)).to.equal('200');
  });

  it('leads back to any search of the list, whatever its characters', async () => {
    const { id } = await issue(server, as(cast.alice), { name: 'Searched' });
    const visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
    const { status, headers } = await visitor.submit(`${KEYS}/${id}/revoke`, { back: `${KEYS}?q=日本\n` });
    expect([status, headers.location]).to.deep.equal([303, `${KEYS}?q=%E6%97%A5%E6%9C%AC`]);
  });

  it('saves a key with as much metadata as the API takes', async () => {
    const text = 'é"\n'.repeat(150);
    const metadata = Object.fromEntries(Array.from({ length: 24 }, (_, n) => [`note ${n}`, text]));
    const key = await issue(server, as(cast.alice), { name: 'Described', metadata });
    const visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
    const { text: page } = await visitor.get(`${KEYS}/${key.id}/edit`);
    const decoded = (html: string) => html.replaceAll('&quot;', '"').replaceAll('&#92;', '\\').replaceAll('&amp;', '&');
    const opened = decoded(/name="opened" value="([^"]*)"/.exec(page)?.[1] ?? '');
    const { fields } = JSON.parse(opened) as { fields: Record<string, string> };
    const form = { ...fields, scopes: 'read', name: 'Described again', opened };
    const { status } = await visitor.submit(`${KEYS}/${key.id}/edit`, form);
    expect(status).to.equal(303);
    const { body } = await server.get(`/api/api-keys/${key.id}`, as(cast.alice));
    expect(body).to.deep.include({ name: 'Described again', metadata });
  });

  it('says in the dialog why a key cannot be rotated as it is', async () => {
    browser.expects(422);
    const { id } = await issue(server, as(cast.alice), { name: 'Endless' });
    await changeTenant(
      server.services.db,
      cast.acme.id,
      { policy: changePolicy(DEFAULT_POLICY, { requireExpiry: true }) },
      Date.now(),
    );
    const page = await browser.as(cast.alice, server, `${KEYS}/${id}`);
    await page.getByRole('link', { name: 'Rotate' }).click();
    await page.locator('#rotate[open]').getByRole('button', { name: 'Rotate' }).click();
    await page.getByText('Nothing was rotated').waitFor();
    expect(await page.getByRole('alert').innerText()).to.include('The policy requires an expiry');
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Change the key first' }).click();
    await page.locator('#key-form').waitFor();
    await changeTenant(server.services.db, cast.acme.id, { policy: DEFAULT_POLICY }, Date.now());
  });

  it('speaks French, its refusals included', async () => {
    browser.expects(422);
    const page = await browser.as(cast.carol, server, KEYS, { locale: 'fr' });
    expect(await page.locator('h1').innerText()).to.equal('Clés d’API');
    const owner = await browser.as(cast.alice, server, `${KEYS}/new`, { locale: 'fr' });
    await owner.getByRole('button', { name: 'Créer une clé' }).click();
    expect(await owner.getByRole('alert').innerText()).to.match(/Nom.*: Ne doit pas être vide/);
    const bob = new Visitor(server, { 'Accept-Language': 'fr' });
    await bob.signIn(cast.bob.email, PASSWORD);
    expect((await bob.get(KEYS)).text).to.include('Droit requis\u00a0: api-keys:read');
  });
});
