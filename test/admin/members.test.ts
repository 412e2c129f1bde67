import { expect } from 'chai';
import { behind, expectAccessible, expectNoOverflow, useBrowser } from '../support/browser.ts';
import { addPlayer, as, castOf, PASSWORD, type Cast, type Player } from '../support/cast.ts';
import { onDatabase } from '../support/databases.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const PATH = '/admin/members';

onDatabase('sqlite', 'the pages of members', (database) => {
  const browser = useBrowser();
  let server: TestServer;
  let cast: Cast;
  let helper: Player;
  before(async () => {
    server = await startServer(database.env());
    cast = await castOf(server);
    helper = await addPlayer(server.services, cast.acme, 'Hugo', {
      role: 'ADMIN',
      permissions: ['members:read', 'members:manage'],
    });
  });
  after(async () => server.stop());

  const found = async (email: string) => {
    const { body } = await server.get('/api/members', as(cast.alice));
    return (body as { data: { email: string; role: string; permissions: string[]; status: string }[] }).data.find(
      (member) => member.email === email,
    );
  };

  for (const javaScript of [true, false]) {
    it(`invites, changes, disables, enables and removes somebody, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      browser.expects(422);
      const email = `grace${javaScript ? 1 : 2}@acme.example`;
      const page = await browser.as(cast.alice, server, PATH, { javaScript });
      await page.getByRole('link', { name: 'Invite member' }).click();
      await page.getByLabel('Email').fill(email);
      await page.getByLabel('Name').fill('  ');
      await page.getByLabel('See keys and their usage').check();
      await page.getByRole('button', { name: 'Invite member' }).click();
      const password = await page.getByLabel('First password').inputValue();
      expect((await new Visitor(server).signIn(email, password)).status).to.equal(303);
      if (javaScript) await expectAccessible(page);
      await page.getByLabel('I have copied the password').check();
      await page.getByRole('button', { name: 'Done' }).click();
      await page.waitForURL(/\/admin\/members\??$/);
      expect(await page.content()).not.to.include(password);
      expect(await behind(page)).not.to.include(password);
      expect(await found(email)).to.deep.include({ role: 'MEMBER', permissions: ['api-keys:read'] });

      const name = email.replace('@acme.example', '');
      const edit = async () => {
        await page.goto(PATH);
        await page.getByRole('link', { name: `Edit ${name}` }).click();
      };
      await edit();
      await page.getByLabel('Admin all data and apps').check();
      await page.getByLabel('See keys and their usage').uncheck();
      await page.getByLabel('Answer and close tickets').check();
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText(`${name}’s role and permissions were changed`).waitFor();
      expect(await found(email)).to.deep.include({ role: 'ADMIN', permissions: ['tickets:manage'] });

      await edit();
      await page.getByRole('link', { name: 'Disable' }).click();
      await page.getByText('You can enable the account again').waitFor();
      if (javaScript) await expectAccessible(page);
      await page.getByRole('button', { name: 'Disable' }).click();
      await page.getByText(`${name} is disabled.`).waitFor();
      expect((await found(email))?.status).to.equal('disabled');
      await edit();
      await page.getByRole('button', { name: 'Enable' }).click();
      await page.getByText(`${name} may sign in again.`).waitFor();
      await edit();
      await page.getByRole('link', { name: 'Remove' }).click();
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.getByText(`${name} is no longer a member.`).waitFor();
      expect(await found(email)).to.equal(undefined);
    });
  }

  it('keeps what was written where somebody is a member already, or the email is none', async () => {
    browser.expects(409);
    const page = await browser.as(cast.alice, server, `${PATH}/new`, { javaScript: false });
    await page.getByLabel('Email').fill(cast.bob.email);
    await page.getByLabel('Name').fill('Robert');
    await page.getByLabel('Read and export the audit log').check();
    await page.getByRole('button', { name: 'Invite member' }).click();
    expect(await page.getByRole('alert').innerText())
      .to.include('Nobody was invited')
      .and.include('This person is a member already.');
    expect(await page.getByLabel('Name').inputValue()).to.equal('Robert');
    expect(await page.getByLabel('Read and export the audit log').isChecked()).to.equal(true);
    await expectNoOverflow(page);

    const alice = new Visitor(server);
    await alice.signIn(cast.alice.email, PASSWORD);
    const { status, text } = await alice.submit(PATH, { email: 'nobody', name: 'Robert' });
    expect(status).to.equal(422);
    expect(text)
      .to.include('Email: Must be an email address')
      .and.include('value="nobody"')
      .and.include('value="Robert"');
  });

  it('says that the last owner stays', async () => {
    browser.expects(409);
    const page = await browser.as(cast.alice, server, `${PATH}/${cast.alice.id}`, { locale: 'fr' });
    await page.getByRole('radio', { name: /^Membre/ }).check();
    await page.getByRole('button', { name: 'Enregistrer' }).click();
    expect(await page.getByRole('alert').innerText()).to.include('Une organisation garde au moins un propriétaire');
    await expectAccessible(page);
  });

  it('offers nobody to give or touch more than they hold, and refuses those who try', async () => {
    browser.expects(403);
    const page = await browser.as(helper, server, PATH);
    expect(await page.getByRole('link', { name: 'Edit Alice' }).count()).to.equal(0);
    await page.goto(`${PATH}/new`);
    expect(await page.getByLabel('Owner').count()).to.equal(0);
    expect(await page.getByLabel('Confirm orders of a plan').count()).to.equal(0);

    const visitor = new Visitor(server);
    await visitor.signIn(helper.email, PASSWORD);
    const { status, text } = await visitor.submit(PATH, { email: 'x@acme.example', role: 'OWNER' });
    expect(status).to.equal(403);
    expect(text).to.include('Nobody can give or take away more than they hold themselves.');
    expect((await visitor.submit(`${PATH}/${cast.alice.id}/remove`)).status).to.equal(403);
    expect((await visitor.submit(`${PATH}/${cast.charlie.id}/remove`)).status).to.equal(404);
  });
});
