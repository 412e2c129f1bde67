import { expect } from 'chai';
import { addPlayer, as, PASSWORD, type Part, type Player } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import type { Headers } from '../../support/http.ts';
import { auditOf } from '../../support/keys.ts';
import { openReset, resetLinkFor } from '../../support/passwordReset.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

onEachDatabase('a link to choose a new password', (database) => {
  const { server, ...cast } = useServer(database);
  let alice: Headers;

  before(() => {
    alice = as(cast.alice);
  });

  it('works once, ends every session and older token, and is in no log and no audit row', async () => {
    const rosa = await player({ role: 'MEMBER' });
    const session = await signedIn(rosa);
    const { token } = await resetLinkFor(server, rosa.email);
    const older = await resetLinkFor(server, rosa.email);
    expect((await openReset(new Visitor(server), token)).status).to.equal(404);
    const guest = new Visitor(server);
    const page = await openReset(guest, older.token);
    expect(page.text).to.include(rosa.email).and.not.include(older.token);
    expect((await guest.post('/reset', { wanted: 'short' })).status).to.equal(422);
    const done = await guest.post('/reset', { wanted: 'a brand new evening' });
    expect([done.status, done.headers.location]).to.deep.equal([303, '/login']);
    expect((await session.get(acmePage('/api-keys'))).headers.location).to.match(/^\/login/);
    expect((await new Visitor(server).signIn(rosa.email, PASSWORD)).status).to.equal(422);
    expect((await new Visitor(server).signIn(rosa.email, 'a brand new evening')).status).to.equal(303);
    expect((await openReset(new Visitor(server), older.token)).status).to.equal(404);
    expect((await guest.post('/reset', { wanted: 'a second new evening' })).status).to.equal(404);
    const rows = await auditOf(server, alice, rosa.id);
    expect(rows.map(({ action }) => action)).to.include.members(['PASSWORD_RESET_OFFERED', 'PASSWORD_RESET']);
    const stored = JSON.stringify([rows, await server.services.db('password_resets')]) + server.log.join('');
    for (const secret of [token, older.token, 'a brand new evening']) expect(stored).not.to.include(secret);
  });

  it('opens nothing after a day, nor for somebody who is disabled', async () => {
    const sven = await player({ role: 'MEMBER' });
    const { token } = await resetLinkFor(server, sven.email);
    const users = server.services.db('users').where({ id: sven.id });
    await users.clone().update({ status: 'disabled' });
    expect((await openReset(new Visitor(server), token)).status).to.equal(404);
    await users.clone().update({ status: 'active' });
    expect((await openReset(new Visitor(server), token)).status).to.equal(200);
    await server.services.db('password_resets').where({ user_id: sven.id }).update({ expires_at: Date.now() });
    expect((await openReset(new Visitor(server), token)).status).to.equal(404);
  });

  let count = 1;
  async function player(part: Part, tenant = cast.acme): Promise<Player> {
    return addPlayer(server.services, tenant, `R${count++}`, part);
  }

  async function signedIn({ email }: { email: string }): Promise<Visitor> {
    const visitor = new Visitor(server);
    expect((await visitor.signIn(email, PASSWORD)).status).to.equal(303);
    return visitor;
  }
});
