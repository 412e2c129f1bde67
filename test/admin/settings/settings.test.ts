import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { readPolicy } from '../../../app/domain/policy.ts';
import { policyFields } from '../../../app/admin/settings/policyView.ts';
import { expectAccessible, signIn, useBrowser } from '../../support/browser.ts';
import { addPlayer, as, PASSWORD } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { conflictRowsIn, openedIn } from '../../support/formConflict.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

const PATH = acmePage('/settings');

onDatabase('sqlite', 'the page of settings', (database) => {
  const browser = useBrowser();
  const { server, acme, alice, bob, carol } = useServer(database);

  const policy = async () => (await server.get('/api/security-center/settings', as(alice))).body;
  const save = async (page: Page) => page.getByRole('button', { name: /Save policy|Enregistrer les règles/ }).click();

  for (const javaScript of [true, false]) {
    it(`saves the policy; what is wrong comes back with everything else that was written, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      browser.expects(422);
      const before = await policy();
      const page = await browser.as(alice, server, PATH, { javaScript });
      await page.getByLabel('Longest lifetime').fill('9999');
      await page.getByLabel('Longest overlap').fill('soon');
      await page.getByTestId('scope-read').uncheck();
      await page.getByLabel('Networks that keys may be used from').fill('10.0.0.0/8\n203.0.113.7');
      await page.getByLabel('Rate limit of keys').fill('many');
      await page.getByLabel('Let keys manage keys').check();
      await page.getByLabel('Only tell us').check();
      await save(page);
      const summary = page.getByRole('alert');
      expect(await summary.innerText())
        .to.include('Longest lifetime: Must be at most 3,650')
        .and.include('Longest overlap at rotation: Must be a whole number')
        .and.include('Scopes of a key that asks for none: Select at least one scope')
        .and.include('Rate limit of keys without one of their own: Must be a whole number')
        .and.include('Nothing was saved yet.');
      if (javaScript) {
        expect(await page.locator(':focus').getAttribute('id')).to.equal('problems');
        await expectAccessible(page);
      }
      expect(await policy()).to.deep.equal(before);
      expect(await page.getByLabel('Longest lifetime').inputValue()).to.equal('9999');
      expect(await page.getByLabel('Networks that keys may be used from').inputValue()).to.include('203.0.113.7');
      expect(await page.getByLabel('Let keys manage keys').isChecked()).to.equal(true);

      await page.getByLabel('Longest lifetime').fill('90');
      await page.getByLabel('Longest overlap').fill('400');
      await page.getByLabel('Unit of the overlap').selectOption('days');
      await page.getByTestId('scope-group-records').click();
      await page.getByTestId('scope-projects:read').check();
      await page.getByTestId('scope-orders:write').check();
      await page.getByLabel('Rate limit of keys').fill('100');
      await page.getByLabel('Time window').selectOption('1 hour');
      await save(page);
      expect(await summary.innerText()).to.include('Longest overlap at rotation: Must be at most 365 days');
      await page.getByLabel('Longest overlap').fill('36');
      await page.getByLabel('Unit of the overlap').selectOption('hours');
      await save(page);
      await page.getByText('The key policy is saved and in force.').waitFor();
      expect(await policy()).to.deep.include({
        maxLifetimeDays: 90,
        maxGraceSeconds: 129_600,
        defaultScopes: ['projects:read', 'orders:write'],
        allowedNetworks: ['10.0.0.0/8', '203.0.113.7'],
        defaultRateLimit: { limit: 100, windowSeconds: 3_600 },
        keysMayManageKeys: true,
        leakAction: 'notify',
      });

      expect(await page.getByLabel('Longest overlap').inputValue()).to.equal('36');
      await page.getByLabel('Rate limit of keys').fill('');
      await page.getByTestId('scope-orders:write').uncheck();
      await page.getByTestId('scope-projects:read').uncheck();
      await page.getByTestId('scope-group-general').click();
      await page.getByTestId('scope-read').check();
      await page.getByLabel('Longest lifetime').fill('');
      await page.getByLabel('Let keys manage keys').uncheck();
      await save(page);
      await page.getByText('The key policy is saved and in force.').waitFor();
      expect(await policy()).to.deep.include({
        maxLifetimeDays: null,
        defaultScopes: ['read'],
        defaultRateLimit: null,
        keysMayManageKeys: false,
      });
    });

    it(`ends another session of one’s own, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const phone = new Visitor(server, { 'User-Agent': 'Mozilla/5.0 (iPhone) Safari/605' });
      await phone.signIn(bob.email, PASSWORD);
      expect((await phone.get(PATH)).status).to.equal(200);
      const page = await browser.as(bob, server, PATH, { javaScript });
      await page.getByText('this one').waitFor();
      await page.getByRole('button', { name: 'End session Safari · iPhone' }).click();
      await page.getByText('The session has ended.').waitFor();
      expect((await phone.get(PATH)).status).to.equal(303);
    });

    it(`changes the password of whoever knows the old one, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      browser.expects(422);
      const name = javaScript ? 'Erin' : 'Frank';
      const player = await addPlayer(server.services, acme, name, { role: 'MEMBER' });
      const other = new Visitor(server);
      await other.signIn(player.email, PASSWORD);
      const page = await browser.open(server, `/login?next=${PATH}`, { javaScript });
      await signIn(page, player.email);
      const change = async (current: string, wanted: string) => {
        await page.getByLabel('Current password').fill(current);
        await page.getByLabel('New password').fill(wanted);
        await page.getByRole('button', { name: 'Change password' }).click();
      };
      await change('not mine', 'a brand new passphrase');
      expect(await page.getByRole('alert').innerText()).to.include('Current password: This is not your password');
      expect(await page.getByLabel('New password').inputValue()).to.equal('');
      await change(PASSWORD, player.email);
      await page.getByRole('alert').getByText('Must not be the email address').waitFor();
      await change(PASSWORD, 'a brand new passphrase');
      await page.getByText('Your password is changed').waitFor();
      expect((await other.get(PATH)).status).to.equal(303);
      expect((await new Visitor(server).signIn(player.email, 'a brand new passphrase')).status).to.equal(303);
    });
  }

  it('shows the policy to an admin without letting them change it, and nothing of it to a member', async () => {
    const admin = await browser.as(carol, server, PATH);
    await admin.getByText('Only owners change these rules.').waitFor();
    expect(await admin.locator('main .policy-facts').innerText()).to.match(/Longest overlap at rotation\s+36\shours/);
    expect(await admin.locator('#policy ~ form, .policy-facts input').count()).to.equal(0);
    expect(await admin.getByRole('button', { name: 'Save policy' }).count()).to.equal(0);
    await expectAccessible(admin);
    const member = await browser.as(bob, server, PATH);
    await member.getByRole('heading', { name: 'Your password' }).waitFor();
    expect(await member.getByRole('heading', { name: 'Key policy' }).count()).to.equal(0);
  });

  it('saves no policy over that of somebody else: shows both, and keeps both once it is sent again', async () => {
    const put = async (wish: object) => server.post('/api/security-center/settings', wish, as(alice));
    await put({ maxLifetimeDays: 90, idleDays: null, allowedNetworks: ['10.0.0.0/8'] });
    const visitor = new Visitor(server);
    await visitor.signIn(alice.email, PASSWORD);
    const opened = openedIn((await visitor.get(PATH)).text);
    await put({ maxLifetimeDays: 60, idleDays: 30, allowedNetworks: ['10.0.0.0/8', '192.0.2.0/24'] });

    const mine = { ...policyFields(readPolicy(opened)), maxLifetimeDays: '30', allowedNetworks: '', opened };
    const refused = await visitor.submit(`${PATH}/policy`, mine);
    expect(refused.status).to.equal(412);
    expect(conflictRowsIn(refused.text)).to.deep.equal([
      ['Longest lifetime', '90 days', '60 days', '30 days'],
      ['Refuse keys unused for', 'no limit', '30 days', 'As stored now'],
      ['Networks that keys may be used from', '10.0.0.0/8', '10.0.0.0/8, 192.0.2.0/24', 'anywhere'],
    ]);
    expect(await policy()).to.deep.include({ maxLifetimeDays: 60, idleDays: 30 });
    expect(refused.text)
      .to.match(/id="maxLifetimeDays"[^>]*value="30"/s)
      .and.match(/id="idleDays"[^>]*value="30"/s);
    expect(refused.text).to.match(/<textarea\s+id="allowedNetworks"[^>]*>\s*192\.0\.2\.0\/24\s*</);

    const again = { ...mine, idleDays: '30', allowedNetworks: '192.0.2.0/24', opened: openedIn(refused.text) };
    expect((await visitor.submit(`${PATH}/policy`, again)).status).to.equal(303);
    expect(await policy()).to.deep.include({ maxLifetimeDays: 30, idleDays: 30, allowedNetworks: ['192.0.2.0/24'] });
  });

  it('names what is wrong in French', async () => {
    browser.expects(422);
    const page = await browser.as(alice, server, PATH, { locale: 'fr', javaScript: false });
    await page.getByLabel('Réseaux d’où les clés peuvent servir').fill('partout');
    await save(page);
    expect(await page.getByRole('alert').innerText())
      .to.include('Un point à corriger')
      .and.include('Doit être une adresse IP ou un réseau CIDR');
  });
});
