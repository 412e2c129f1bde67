import { expect } from 'chai';
import { behind, expectAccessible, expectNoOverflow, useBrowser } from '../../support/browser.ts';
import { addPlayer, as, joinTenant, PASSWORD, type Player } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { conflictRowsIn, openedIn } from '../../support/formConflict.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage, pageOf } from '../../support/organisationPages.ts';

const PATH = acmePage('/members');

onDatabase('sqlite', 'the pages of members', (database) => {
  const browser = useBrowser();
  const { server, ...cast } = useServer(database);
  let helper: Player;
  before(async () => {
    helper = await addPlayer(server.services, cast.acme, 'Hugo', {
      role: 'ADMIN',
      permissions: ['members:read', 'members:manage'],
    });
  });

  const found = async (email: string) => {
    const { body } = await server.get('/api/members', as(cast.alice));
    return (body as { data: { email: string; role: string; permissions: string[]; status: string }[] }).data.find(
      (member) => member.email === email,
    );
  };

  for (const javaScript of [true, false]) {
    it(`invites, withdraws, changes and removes somebody, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      browser.expects(422);
      const page = await browser.as(cast.alice, server, PATH, { javaScript });
      const invite = async (email: string) => {
        await page.goto(PATH);
        await page.getByRole('link', { name: 'Invite member' }).click();
        await page.getByLabel('Email').fill(email);
        await page.getByLabel('See keys and their usage').check();
        await page.getByRole('button', { name: 'Invite member' }).click();
        return page.getByLabel('Link to accept').inputValue();
      };
      const withdrawn = `henry${javaScript ? 1 : 2}@acme.example`;
      const first = await invite(withdrawn);
      expect(first).to.include(`${server.url}/invitation?token=`);
      if (javaScript) await expectAccessible(page);
      await page.getByLabel('I have copied the link').check();
      await page.getByRole('button', { name: 'Done' }).click();
      await page.waitForURL(/\/members#main$/);
      expect(await page.content()).not.to.include(first);
      expect(await behind(page)).not.to.include(first);
      await page.goto(PATH);
      await page.getByRole('button', { name: `New link ${withdrawn}` }).click();
      expect(await page.getByLabel('Link to accept').inputValue()).not.to.equal(first);
      await page.goto(PATH);
      await page.getByRole('link', { name: `Withdraw ${withdrawn}` }).click();
      await page.getByText('Its link stops working at once.').waitFor();
      await page.getByRole('button', { name: 'Withdraw' }).click();
      await page.getByText(`The invitation of ${withdrawn} is withdrawn.`).waitFor();
      expect(await page.getByRole('link', { name: `Withdraw ${withdrawn}` }).count()).to.equal(0);

      const email = `grace${javaScript ? 1 : 2}@acme.example`;
      const link = new URL(await invite(email));
      const guest = new Visitor(server);
      await guest.get(link.pathname + link.search);
      const { text } = await guest.get('/invitation');
      const invitation = /name="invitation" value="([^"]+)"/.exec(text)?.[1] ?? '';
      const account = { name: email.replace('@acme.example', ''), password: PASSWORD };
      expect((await guest.post('/invitation/join', { ...account, invitation })).status).to.equal(303);
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
      await page.getByRole('link', { name: 'Remove' }).click();
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.getByText(`${name} is no longer a member.`).waitFor();
      expect(await found(email)).to.equal(undefined);
    });
  }

  it('keeps what was typed when the person is a member already, or the email is invalid', async () => {
    browser.expects(409);
    const page = await browser.as(cast.alice, server, `${PATH}/new`, { javaScript: false });
    await page.getByLabel('Email').fill(cast.bob.email);
    await page.getByLabel('Read and export the audit log').check();
    await page.getByRole('button', { name: 'Invite member' }).click();
    expect(await page.getByRole('alert').innerText())
      .to.include('Nobody was invited')
      .and.include('This person is a member already.');
    expect(await page.getByLabel('Email').inputValue()).to.equal(cast.bob.email);
    expect(await page.getByLabel('Read and export the audit log').isChecked()).to.equal(true);
    await expectNoOverflow(page);

    const alice = new Visitor(server);
    await alice.signIn(cast.alice.email, PASSWORD);
    const { status, text } = await alice.submit(`${PATH}/invitations`, { email: 'nobody' });
    expect(status).to.equal(422);
    expect(text).to.include('Email: Must be an email address').and.include('value="nobody"');
  });

  it('change nothing over the change of somebody else: show both, and keep both once the form is sent again', async () => {
    const ida = await addPlayer(server.services, cast.acme, 'Ida', { role: 'MEMBER', permissions: ['audit:read'] });
    const visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
    const path = `${PATH}/${ida.id}`;
    const opened = openedIn((await visitor.get(path)).text);
    const theirs = { role: 'ADMIN', permissions: ['audit:read', 'tickets:manage'] };
    expect((await server.patch(`/api/members/${ida.id}`, theirs, as(cast.alice))).status).to.equal(200);

    const send = async (permissions: string[], shown: string, role = 'MEMBER') =>
      visitor.submit(path, [
        ...Object.entries({ role, opened: shown }),
        ...permissions.map((one): [string, string] => ['permissions', one]),
      ]);
    const refused = await send(['audit:read', 'members:read'], opened);
    expect(refused.status).to.equal(412);
    const [audit, members, tickets] = ['Read and export the audit log', 'See the members', 'Answer and close tickets'];
    expect(conflictRowsIn(refused.text)).to.deep.equal([
      ['Role', 'Member', 'Admin', 'As stored now'],
      ['Permissions', audit, `${audit}, ${tickets}`, `${audit}, ${members}`],
    ]);
    expect(await found(ida.email)).to.deep.include(theirs);
    const ticked = [...refused.text.matchAll(/value="([\w:-]+)"[^>]* checked/gs)].map(([, value]) => value);
    expect(ticked).to.have.members(['ADMIN', 'audit:read', 'members:read', 'tickets:manage']);
    const both = ['audit:read', 'members:read', 'tickets:manage'];
    expect((await send(both, openedIn(refused.text), 'ADMIN')).status).to.equal(303);
    expect((await found(ida.email))?.permissions).to.have.members(both);
  });

  it('refuse to take the role of the last owner away, and say why', async () => {
    browser.expects(409);
    const page = await browser.as(cast.alice, server, `${PATH}/${cast.alice.id}`, { locale: 'fr' });
    await page.getByRole('radio', { name: /^Membre/ }).check();
    await page.getByRole('button', { name: 'Enregistrer' }).click();
    expect(await page.getByRole('alert').innerText()).to.include('Une organisation garde au moins un propriétaire');
    await expectAccessible(page);
  });

  it('let nobody grant or change more than they hold', async () => {
    browser.expects(403);
    const page = await browser.as(helper, server, PATH);
    expect(await page.getByRole('link', { name: 'Edit Alice' }).count()).to.equal(0);
    await page.goto(`${PATH}/new`);
    expect(await page.getByLabel('Owner').count()).to.equal(0);
    expect(await page.getByLabel('Confirm orders of a plan').count()).to.equal(0);

    const visitor = new Visitor(server);
    await visitor.signIn(helper.email, PASSWORD);
    const { status, text } = await visitor.submit(`${PATH}/invitations`, { email: 'x@acme.example', role: 'OWNER' });
    expect(status).to.equal(403);
    expect(text).to.include('Nobody can give or take away more than they hold themselves.');
    expect((await visitor.submit(`${PATH}/${cast.alice.id}/remove`)).status).to.equal(403);
    expect((await visitor.submit(`${PATH}/${cast.charlie.id}/remove`)).status).to.equal(404);
  });

  it('offers disabling and enabling an account to operators alone', async () => {
    const dan = await addPlayer(server.services, cast.acme, 'Dan', { role: 'MEMBER' });
    const olga = await addPlayer(server.services, cast.acme, 'Olga', { role: 'OWNER', operator: true });
    const page = await browser.as(cast.alice, server, `${PATH}/${dan.id}`);
    expect(await page.getByRole('link', { name: 'Disable' }).count()).to.equal(0);
    const alice = new Visitor(server);
    await alice.signIn(cast.alice.email, PASSWORD);
    expect((await alice.submit(`${PATH}/${dan.id}/status`, { status: 'disabled' })).status).to.equal(403);

    const hers = await browser.as(olga, server, `${PATH}/${dan.id}`);
    await hers.getByRole('link', { name: 'Disable' }).click();
    await hers.getByText('You can enable the account again').waitFor();
    await expectAccessible(hers);
    await hers.getByRole('button', { name: 'Disable' }).click();
    await hers.getByText('Dan is disabled.').waitFor();
    await hers.goto(`${PATH}/${dan.id}`);
    await hers.getByRole('button', { name: 'Enable' }).click();
    await hers.getByText('Dan may sign in again.').waitFor();
  });

  for (const javaScript of [true, false]) {
    it(`a member leaves from the page of their own membership, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const lee = await addPlayer(server.services, cast.acme, `Lee${javaScript ? 1 : 2}`, { role: 'MEMBER' });
      await joinTenant(server.services, lee, cast.globex, { role: 'MEMBER' });
      const page = await browser.as(lee, server, acmePage('/membership'), { javaScript });
      const tenant = (await page.locator('[popovertarget=tenants] bdi').textContent()) ?? '';
      await page.getByRole('link', { name: 'Leave' }).click();
      if (javaScript) await expectAccessible(page);
      await page.getByRole('button', { name: 'Leave' }).click();
      await page.getByText(`You have left ${tenant}.`).waitFor();
      expect(await server.services.db('memberships').where({ user_id: lee.id })).to.have.length(1);
    });
  }

  it('says to the last owner who wants to leave that they cannot', async () => {
    const visitor = new Visitor(server);
    await visitor.signIn(cast.charlie.email, PASSWORD);
    const { status, text } = await visitor.submit(pageOf(cast.globex, '/membership/leave'));
    expect(status).to.equal(409);
    expect(text).to.include('You have not left').and.include('An organisation keeps at least one owner');
  });
});
