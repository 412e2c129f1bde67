import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { systemContext } from '../../../app/actions/actionContext.ts';
import { recordAuditEvent } from '../../../app/actions/auditRecord.ts';
import { changedFields } from '../../../app/domain/auditEvent.ts';
import { expectAccessible, expectNoOverflow, useBrowser } from '../../support/browser.ts';
import { as, PASSWORD } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { auditOf, issue, type Key } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

const PATH = acmePage('/audit-logs');

onDatabase('sqlite', 'the page of the audit log', (database) => {
  const browser = useBrowser();
  const { server, ...cast } = useServer(database);
  let key: Key;
  before(async () => {
    key = await issue(server, as(cast.alice), { name: '=HYPERLINK("http://evil.example")' });
    await server.send('PATCH', `/api/api-keys/${key.id}`, {
      headers: { ...as(cast.alice), 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: '<img src=x onerror=alert(1)>' }),
    });
    await issue(server, as(cast.charlie), { name: 'of Globex' });
  });

  for (const javaScript of [true, false]) {
    it(`narrows by who, what, key and day, and shows before and after, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const page = await browser.as(cast.alice, server, PATH, { javaScript });
      expect(await page.locator('main').innerText()).not.to.include('of Globex');
      await page.getByLabel('Who').selectOption({ label: 'Alice' });
      await page.getByLabel('What').selectOption({ label: 'Key changed' });
      await page.getByRole('combobox', { name: 'Key' }).selectOption(key.id);
      const today = new Date().toISOString().slice(0, 10);
      await page.getByLabel('From (UTC)').fill(today);
      await page.getByLabel('To (UTC)').fill(today);
      if (!javaScript) await page.getByRole('button', { name: 'Filter' }).click();
      await page.waitForURL('**/audit-logs?*action=API_KEY_UPDATED*');
      const rows = page.locator('#audit > table > tbody > tr');
      expect(await rows.count()).to.equal(1);
      expect(await rows.locator('.audit-old').innerText()).to.equal('=HYPERLINK("http://evil.example")');
      expect(await rows.locator('.audit-now').innerText()).to.equal('<img src=x onerror=alert(1)>');
      if (javaScript) await expectAccessible(page);
      await page.getByLabel('To (UTC)').fill('2020-01-01');
      await page.getByLabel('From (UTC)').fill('');
      if (!javaScript) await page.getByRole('button', { name: 'Filter' }).click();
      await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
      await page.getByRole('main').getByRole('link', { name: 'Clear filters' }).first().click();
      await page.waitForURL(`**${PATH}`);
    });

    it(`says at the field that the last day is before the first, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      browser.expects(422);
      const page = await browser.as(cast.alice, server, `${PATH}?from=2026-03-02`, { javaScript });
      const last = page.getByLabel('To (UTC)');
      await last.fill('2026-03-01');
      if (!javaScript) await page.getByRole('button', { name: 'Filter' }).click();
      await page.getByRole('heading', { name: 'The last day is before the first' }).waitFor();
      const why = page.locator('.filters .field-wrong .field-problem');
      await why.waitFor();
      expect(await why.innerText()).to.equal('Must not be before the first day');
      expect(await last.getAttribute('aria-describedby')).to.equal(await why.getAttribute('id'));
      expect(await last.getAttribute('aria-invalid')).to.equal('true');
      if (javaScript) await expectAccessible(page);
      await last.fill('2026-03-02');
      if (!javaScript) await page.getByRole('button', { name: 'Filter' }).click();
      await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
      expect(await page.locator('.field-problem, [aria-invalid]').count()).to.equal(0);
      const visitor = new Visitor(server);
      await visitor.signIn(cast.alice.email, PASSWORD);
      expect((await visitor.get(`${PATH}/export?from=2026-03-02&to=2026-03-01`)).status).to.equal(400);
    });

    it(`narrows by what was changed, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const page = await browser.as(cast.alice, server, PATH, { javaScript });
      await page.getByLabel('Kind').selectOption({ label: 'API key' });
      if (!javaScript) await page.getByRole('button', { name: 'Filter' }).click();
      await page.waitForURL('**/audit-logs?*entity=api_key*');
      await page.locator('#audit').getByText('Key changed').waitFor();
      const done = await page.locator('#audit > table > tbody > tr > th').allTextContents();
      expect(done.filter((text) => !text.includes('Key c'))).to.deep.equal([]);
      await page.goto(`${PATH}?entity=tenant&key=${key.id}`);
      await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
    });

    it(`goes back page by page, each row once, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      if (javaScript) await addRows(60);
      const page = await browser.as(cast.alice, server, `${PATH}?action=TENANT_UPDATED`, { javaScript, width: 390 });
      const ids = () => page.locator('#audit > table > tbody > tr code').allInnerTexts();
      const first = await ids();
      expect(first).to.have.length(50);
      await expectNoOverflow(page);
      await page.getByRole('link', { name: 'Further back' }).click();
      await page.waitForURL('**cursor=*');
      const second = await ids();
      expect(second).to.have.length(10);
      expect(new Set([...first, ...second])).to.have.property('size', 60);
      await page.getByRole('link', { name: 'First page' }).click();
      await page.waitForURL(`**${PATH}?action=TENANT_UPDATED`);
    });
  }

  it('shows its first row above the fold of a phone, and its filters behind one button that counts those set', async () => {
    const page = await browser.as(cast.alice, server, PATH, { width: 390 });
    const row = await page.locator('#audit tbody tr').first().boundingBox();
    expect((row?.y ?? 844) + Math.min(row?.height ?? 844, 200)).to.be.below(844);
    expect(await page.getByLabel('From (UTC)').isVisible()).to.equal(false);
    await page.locator('.filters-fold summary').click();
    await page.getByLabel('What').selectOption({ label: 'Key changed' });
    await page.locator('[data-fold-count]', { hasText: '· 1' }).waitFor();
    await page.getByLabel('Include uses of keys').check();
    await page.locator('[data-fold-count]', { hasText: '· 2' }).waitFor();
    await expectAccessible(page);
    await expectNoOverflow(page);
    await page.goto(`${PATH}?actor=${cast.alice.id}&from=2026-01-01`);
    expect((await page.locator('.filters-fold summary').innerText()).split(/\s+/)).to.deep.equal(['Filters', '·', '2']);
  });

  it('shows a save of scopes and other fields as one row, with what came, what went and what a value was', async () => {
    const edited = await issue(server, as(cast.alice), { name: 'Before', scopes: ['read', 'docs:read'] });
    const { status } = await server.patch(
      `/api/api-keys/${edited.id}`,
      { name: 'After', scopes: ['read', 'docs:write'], allowedIps: ['10.0.0.0/8'] },
      as(cast.alice),
    );
    expect(status).to.equal(200);
    const kept = await auditOf(server, as(cast.alice), edited.id);
    expect(kept.map(({ action }) => action)).to.include.members(['API_KEY_UPDATED', 'API_KEY_SCOPES_UPDATED']);
    const page = await browser.as(cast.alice, server, `${PATH}?key=${edited.id}`, { javaScript: false });
    const rows = page.locator('#audit > table > tbody > tr');
    expect(await rows.locator('th').allInnerTexts()).to.have.length(2);
    const saved = rows.first();
    expect(await saved.locator('th').innerText()).to.match(/^Key changed/);
    const lines = (await saved.locator('.audit-lines > li').allInnerTexts()).map((text) => text.split(/\s+/).join(' '));
    expect(lines.sort()).to.deep.equal([
      'Name Before → After',
      'Networks + 10.0.0.0/8',
      'Scopes + docs:write − docs:read',
    ]);
    expect(await rows.nth(1).locator('.audit-lines').innerText()).to.match(
      /Scopes\s+read\s+docs:read\s+Expires\s+never/,
    );
    const time = saved.locator('time').last();
    expect(await time.innerText()).to.match(/ UTC$/);
    expect(Date.parse((await time.getAttribute('datetime')) ?? '')).to.be.greaterThan(0);
    await page.goto(`${PATH}?action=LOGIN`);
    expect(await page.locator('#audit thead th').allInnerTexts()).to.deep.equal(['What', 'Who', 'When']);
  });

  for (const javaScript of [true, false]) {
    it(`leaves uses of keys out until they are asked for, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const used = await issue(server, as(cast.alice), { name: 'Used' });
      await server.get('/api/v1/whoami', { 'x-api-key': used.key });
      const page = await browser.as(cast.alice, server, `${PATH}?actor=${used.id}`, { javaScript });
      await page.getByText('Uses of keys are left out.').waitFor();
      const path = async () => (await page.getByRole('link', { name: 'Export CSV' }).getAttribute('href')) ?? '';
      const visitor = new Visitor(server);
      await visitor.signIn(cast.alice.email, PASSWORD);
      const exported = async (address: string) => (await visitor.get(address)).text.split('"API_KEY_USED"').length - 1;
      expect(await exported(await path())).to.equal(0);
      await page.getByLabel('Include uses of keys').check();
      if (!javaScript) await page.getByRole('button', { name: 'Filter' }).click();
      await page.waitForURL('**uses=shown*');
      await page.locator('#audit').getByText('GET /api/v1/whoami').waitFor();
      expect(await exported(await path())).to.equal(1);
      expect(await exported(`${PATH}/export?actor=${used.id}`)).to.equal(1);
      await page.goto(`${PATH}?actor=${used.id}&action=API_KEY_USED`);
      await page.locator('#audit').getByText('GET /api/v1/whoami').waitFor();
    });
  }

  it('is exported as CSV in which no cell is a formula', async () => {
    const page = await browser.as(cast.alice, server, `${PATH}?key=${key.id}`);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export CSV' }).click(),
    ]);
    expect(download.suggestedFilename()).to.match(/^audit-acme-\d{4}-\d\d-\d\d\.csv$/);
    const lines = (await readFile(await download.path(), 'utf8')).split('\r\n');
    expect(lines[0]).to.match(/^\uFEFF"time","action",/);
    expect(lines).to.have.length(4);
    expect(lines[1]).to.include('"API_KEY_UPDATED"').and.include('"Alice"');
  });

  it('exports every row as a stream, with formulas in the names of people made harmless', async () => {
    const { db } = server.services;
    const act = { ...systemContext(db, cast.acme.id), actor: { type: 'user', id: cast.bob.id, name: '=1+1' } as const };
    await recordAuditEvent(db, act, { action: 'LOGOUT', entityId: cast.bob.id });
    await addRows(1_050);
    const alice = new Visitor(server);
    await alice.signIn(cast.alice.email, PASSWORD);
    const { status, headers, text } = await alice.get(`${PATH}/export`);
    expect(status).to.equal(200);
    expect(headers['content-type']).to.equal('text/csv; charset=utf-8');
    expect(headers['content-length']).to.equal(undefined);
    expect(text.split('\r\n').length).to.be.greaterThan(1_100);
    expect(text).to.include(`"'=1+1"`).and.not.include('of Globex');
  });

  it('exports no formula where a spreadsheet splits cells at semicolons either', async () => {
    const { db } = server.services;
    const actor = { type: 'user', id: cast.bob.id, name: 'Bob;=HYPERLINK("http://x.example")' } as const;
    await recordAuditEvent(
      db,
      { ...systemContext(db, cast.acme.id), actor },
      { action: 'LOGOUT', entityId: cast.bob.id },
    );
    const alice = new Visitor(server);
    await alice.signIn(cast.alice.email, PASSWORD);
    const { text } = await alice.get(`${PATH}/export?action=LOGOUT`);
    expect(text).to.include(`"Bob;'=HYPERLINK(""http://x.example"")"`).and.not.include(';=');
  });

  it('names the changed fields in French, in the log and on the page of the key', async () => {
    const page = await browser.as(cast.alice, server, `${PATH}?key=${key.id}&action=API_KEY_CREATED`, { locale: 'fr' });
    const fields = async (cells: string) => page.locator(cells).allInnerTexts();
    expect(await fields('#audit .audit-field')).to.include.members([
      ...['Accès', 'Expiration', 'Environnement', 'Appartient à'],
    ]);
    await page.goto(acmePage(`/api-keys/${key.id}`));
    expect(await fields('.changes .muted')).to.include.members(['Nom', 'Accès', 'Environnement', 'Appartient à']);
  });

  it('lists changed and deleted records and saved drafts in words, in English and French', async () => {
    const { body } = await server.post('/api/projects', { name: 'Bridge' }, as(cast.alice));
    const { id } = body as { id: string };
    await server.patch(`/api/projects/${id}`, { name: 'Tunnel' }, as(cast.alice));
    await server.delete(`/api/projects/${id}`, as(cast.alice));
    await server.post('/api/builder/draft', { name: 'Landing page' }, as(cast.alice));
    const words = {
      en: ['Record changed', 'Record deleted', 'Draft saved'],
      fr: ['Enregistrement modifié', 'Enregistrement supprimé', 'Brouillon enregistré'],
    };
    for (const locale of ['en', 'fr'] as const) {
      const page = await browser.as(cast.alice, server, PATH, { locale });
      const heads = await page.locator('#audit > table > tbody > tr > th').allInnerTexts();
      expect(heads.map((text) => text.split('\n')[0])).to.include.members(words[locale]);
      expect(await page.locator('#action option').allInnerTexts()).to.include.members(words[locale]);
    }
    const page = await browser.as(cast.alice, server, `${PATH}?entity=record&action=RECORD_UPDATED`);
    expect(await page.locator('#audit .audit-field').allInnerTexts()).to.deep.equal(['Name', 'Resource']);
    const alice = new Visitor(server);
    await alice.signIn(cast.alice.email, PASSWORD);
    const { text } = await alice.get(`${PATH}/export?entity=record`);
    for (const action of ['RECORD_UPDATED', 'RECORD_DELETED']) expect(text).to.include(`"${action}"`);
  });

  it('refuses a filter that it does not understand, in words', async () => {
    browser.expects(400);
    const page = await browser.as(cast.alice, server, `${PATH}?from=yesterday`, { locale: 'fr' });
    await page.getByRole('heading', { name: 'L’adresse n’est pas comprise' }).waitFor();
  });

  /** Rows that each are about something else. */
  async function addRows(count: number): Promise<void> {
    const { db } = server.services;
    const now = Date.now();
    for (let number = 0; number < count; number++) {
      const act = systemContext(db, cast.acme.id, now - number);
      const entityId = `0000-${now}-${String(number).padStart(8, '0')}`;
      await recordAuditEvent(db, act, {
        action: 'TENANT_UPDATED',
        entityId,
        ...changedFields(null, { plan: String(number) }),
      });
    }
  }
});
