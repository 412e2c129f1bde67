import { expect } from 'chai';
import { hashToken } from '../../app/domain/session.ts';
import { addPlayer, addTenant, as, bearer, PASSWORD, type Part, type Player } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { auditOf, issue, refusal, rotate } from '../support/keys.ts';
import { openReset, resetLinkFor } from '../support/passwordReset.ts';
import { startServer } from '../support/server.ts';
import { useServer } from '../support/useServer.ts';
import { Visitor } from '../support/visitor.ts';
import { acmePage, pageOf } from '../support/organisationPages.ts';

interface Invited {
  id: string;
  email: string;
  role: string;
  permissions: string[];
  createdAt: string;
  expiresAt: string;
  url: string;
}

const INVITATIONS = '/api/members/invitations';

onEachDatabase('an invitation', (database) => {
  const { server, ...cast } = useServer(database);
  let alice: Headers;

  before(async () => {
    alice = as(cast.alice);
  });

  it('lets no stranger who made the account first into a tenant that invites the same email later', async () => {
    const email = 'victim@x.example';
    const [strange, trusting] = [
      await addTenant(server.services, 'Strange'),
      await addTenant(server.services, 'Trust'),
    ];
    const stranger = await addPlayer(server.services, strange, 'Stranger', { role: 'OWNER' });
    const owner = await addPlayer(server.services, trusting, 'Truster', { role: 'OWNER' });
    const theirs = new Visitor(server);
    await open(theirs, await invite(email, {}, as(stranger)));
    expect((await join(theirs, { name: 'Victim', password: 'known to the stranger' })).status).to.equal(303);
    const stolen = await loginToken(email, 'known to the stranger');

    const invitation = await invite(email, { role: 'ADMIN' }, as(owner));
    // Everything the stranger can do without the new link: with the account, its session and its token.
    for (const headers of [{ ...bearer(stolen), 'x-tenant-id': trusting.id }]) {
      refusal(await server.get('/api/projects', headers), 403, 'tenant_mismatch');
      expect((await server.get('/api/v1/whoami', headers)).status).to.equal(403);
    }
    expect((await theirs.get(pageOf(trusting, '/membership'))).status).to.equal(404);
    expect((await theirs.get('/invitation')).status).to.equal(404);
    expect((await theirs.submit('/invitation/accept', { invitation: invitation.id })).status).to.equal(404);
    expect(await membersOf(trusting.id)).to.deep.equal([owner.id]);

    // The victim has the link and not the password; an operator's link gives them the account, and takes it from the stranger.
    const victim = new Visitor(server);
    await open(victim, invitation);
    const refused = await join(victim, { name: 'Victim', password: 'the victim’s own' });
    expect([refused.status, refused.text]).to.satisfy(
      ([status, text]: [number, string]) => status === 409 && text.includes('No account was made.'),
    );
    await reset(email, 'the victim’s own choice');
    refusal(await server.get('/api/v1/whoami', bearer(stolen)), 401, 'invalid_token');
    expect((await theirs.get(acmePage('/api-keys'))).headers.location).to.match(/^\/login/);
    expect((await new Visitor(server).signIn(email, 'known to the stranger')).status).to.equal(422);
    expect((await victim.signIn(email, 'the victim’s own choice', '/invitation')).headers.location).to.equal(
      '/invitation',
    );
    expect((await accept(victim)).status).to.equal(303);
    expect(await membersOf(trusting.id)).to.have.length(2);
    refusal(await server.get('/api/projects', { ...bearer(stolen), 'x-tenant-id': trusting.id }), 401, 'invalid_token');
  });

  it('changes nothing about the person until they accept it', async () => {
    const dan = await player({ role: 'MEMBER' }, cast.globex);
    const before = await everythingOf(dan);
    const invitation = await invite(dan.email);
    expect(await everythingOf(dan)).to.deep.equal(before);
    refusal(await server.get('/api/projects', as(dan, cast.acme)), 403, 'tenant_mismatch');
    const dans = await signedIn(dan);
    await open(dans, invitation);
    expect((await dans.get('/invitation')).text)
      .to.include('Acme')
      .and.include('Accept');
    expect((await accept(dans)).headers.location).to.equal('/');
    expect((await server.get('/api/projects', as(dan, cast.acme))).status).to.equal(200);
    const rows = await auditOf(server, alice, invitation.id);
    expect(rows.map(({ action, actorId }) => [action, actorId])).to.deep.equal([
      ['INVITATION_CREATED', cast.alice.id],
      ['INVITATION_ACCEPTED', dan.id],
    ]);
    const [joined] = (await auditOf(server, alice, dan.id)).slice(-1);
    expect(joined).to.deep.include({ action: 'MEMBER_ADDED', actorId: dan.id });
  });

  it('is answered, listed and refused alike whether somebody has the email or not', async () => {
    const known = await player({ role: 'MEMBER' }, cast.globex);
    const told = async (email: string) => {
      const made = await server.post(INVITATIONS, { email, role: 'ADMIN' }, alice);
      const { id, url, ...rest } = made.body as Invited;
      const shown = await server.get(`${INVITATIONS}/${id}`, alice);
      const guest = new Visitor(server);
      const page = await open(guest, { url });
      const wrong = await server.post('/api/auth/login', { email, password: 'not the password' });
      return JSON.stringify([made.status, rest, shown.status, shown.body, page.status, page.text, wrong.status])
        .replaceAll(email, 'EMAIL')
        .replaceAll(id, 'ID')
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|\d\d?:\d\d:\d\d/g, 'TIME');
    };
    expect(await told(known.email)).to.equal(await told('nobody.known@globex.example'));
  });

  it('holds its link once, and only the hash of its token is stored', async () => {
    const { url, ...invitation } = await invite('once@acme.example', { permissions: ['audit:read'] });
    const token = tokenIn(url);
    const shown = await server.get(`${INVITATIONS}/${invitation.id}`, alice);
    expect(shown.body).to.deep.equal(invitation);
    const list = (await server.get(INVITATIONS, alice)).body as { data: Invited[] };
    expect(list.data).to.deep.include(invitation);
    expect(Date.parse(invitation.expiresAt) - Date.parse(invitation.createdAt)).to.equal(7 * 86_400_000);
    const guest = new Visitor(server);
    const led = await guest.get(new URL(url).pathname + new URL(url).search);
    expect([led.status, led.headers.location]).to.deep.equal([303, '/invitation']);
    const page = await guest.get('/invitation');
    expect(page.status).to.equal(200);
    const { db } = server.services;
    const rows: unknown = [await db('invitations').where({ id: invitation.id }), await db('audit_logs')];
    const metrics = await server.get('/metrics');
    for (const text of [JSON.stringify(rows), server.log.join(''), page.text, metrics.text]) {
      expect(text).not.to.include(token);
    }
    const row = await db('invitations').where({ id: invitation.id }).first<{ token_hash: Buffer }>();
    expect(Buffer.from(row.token_hash)).to.deep.equal(hashToken(token));
  });

  it('makes an account with the name and the password that its person chooses, once', async () => {
    const email = 'new.person@acme.example';
    const invitation = await invite('New.Person@Acme.Example', { role: 'ADMIN' });
    expect(invitation).to.include({ email, role: 'ADMIN' });
    const guest = new Visitor(server);
    await open(guest, invitation);
    const bad = await join(guest, { name: ' ', password: 'short' });
    expect(bad.status).to.equal(422);
    expect(bad.text)
      .to.include('Must not be empty')
      .and.include('Must be at least 10 characters')
      .and.not.include('short"');
    const made = await join(guest, { name: 'Nell', password: 'a long evening walk' });
    expect([made.status, made.headers.location]).to.deep.equal([303, '/']);
    expect((await guest.get(acmePage('/api-keys'))).status).to.equal(200);
    const login = await server.post('/api/auth/login', { email, password: 'a long evening walk' });
    expect(login.body).to.have.nested.property('tenants[0].role', 'ADMIN');
    const second = new Visitor(server);
    expect((await open(second, invitation)).status).to.equal(404);
    expect((await join(second, { name: 'Eve', password: 'a long evening walk' }, invitation.id)).status).to.equal(404);
  });

  it('makes one account where two browsers use it at once', async () => {
    const invitation = await invite('twice@acme.example');
    const [one, two] = [new Visitor(server), new Visitor(server)];
    for (const visitor of [one, two]) await open(visitor, invitation);
    const both = await Promise.all([one, two].map(async (visitor) => join(visitor, { name: 'T', password: PASSWORD })));
    expect(both.map(({ status }) => status).filter((status) => status === 303)).to.have.length(1);
    expect(await server.services.db('users').where({ email: invitation.email })).to.have.length(1);
  });

  it('is no way to guess a password: where the email has an account its form counts as a failed login', async () => {
    const strict = await startServer(database.env(), { LOGIN_LIMIT: '2/600' });
    try {
      const known = await player({ role: 'MEMBER' }, cast.globex);
      const invitation = await invite(known.email);
      const guest = new Visitor(strict);
      await open(guest, invitation);
      const statuses = [];
      for (let n = 0; n < 3; n++) statuses.push((await join(guest, { name: 'X', password: PASSWORD })).status);
      expect(statuses).to.deep.equal([409, 409, 429]);
      expect(guest.session).to.equal(undefined);
    } finally {
      await strict.stop();
    }
  });

  it('is accepted by its own email only: somebody else is told to sign in as the right one', async () => {
    const invitation = await invite('right.one@acme.example');
    const charlie = await signedIn(cast.charlie);
    const page = await open(charlie, invitation);
    expect(page.text)
      .to.include(cast.charlie.email)
      .and.include('Sign out and go on')
      .and.not.include('/invitation/join');
    expect((await accept(charlie)).status).to.equal(403);
    expect(await membersOf(cast.acme.id)).not.to.include(cast.charlie.id);
    const left = await charlie.submit('/logout', { next: '/invitation' });
    expect(left.headers.location).to.equal('/login?next=%2Finvitation');
  });

  it('is declined by whoever holds the link, and then opens nothing', async () => {
    const invitation = await invite('declined@acme.example');
    const guest = new Visitor(server);
    await open(guest, invitation);
    const declined = await guest.post('/invitation/decline', { invitation: invitation.id });
    expect([declined.status, declined.headers.location]).to.deep.equal([303, '/login']);
    expect((await open(guest, invitation)).status).to.equal(404);
    const [row] = (await auditOf(server, alice, invitation.id)).slice(-1);
    expect(row).to.deep.include({ action: 'INVITATION_DECLINED', actorType: 'anonymous' });
    expect((await server.get(`${INVITATIONS}/${invitation.id}`, alice)).status).to.equal(404);
  });

  it('opens nothing once it was withdrawn, replaced, or its seven days are over', async () => {
    const [withdrawn, replaced, late] = [
      await invite('withdrawn@acme.example'),
      await invite('replaced@acme.example'),
      await invite('late@acme.example'),
    ];
    expect((await server.delete(`${INVITATIONS}/${withdrawn.id}`, alice)).body).to.deep.equal({
      id: withdrawn.id,
      deleted: true,
    });
    refusal(await server.delete(`${INVITATIONS}/${withdrawn.id}`, alice), 404, 'not_found');
    const [row] = (await auditOf(server, alice, withdrawn.id)).slice(-1);
    expect(row).to.deep.include({ action: 'INVITATION_WITHDRAWN', before: { email: withdrawn.email } });
    const again = await invite('replaced@acme.example', { role: 'ADMIN' });
    await server.services.db('invitations').where({ id: late.id }).update({ expires_at: Date.now() });
    for (const invitation of [withdrawn, replaced, late]) {
      const guest = new Visitor(server);
      expect((await open(guest, invitation)).status, invitation.email).to.equal(404);
      const answer = await join(guest, { name: 'Late', password: PASSWORD }, invitation.id);
      expect(answer.status, invitation.email).to.equal(404);
    }
    expect((await open(new Visitor(server), again)).status).to.equal(200);
  });

  it('opens nothing once its inviter could not send it any more', async () => {
    const mia = await player({ role: 'ADMIN', permissions: ['members:manage'] });
    const invitation = await invite('friend.of.mia@acme.example', {}, as(mia));
    const { key, id: keyId } = await issue(server, alice, { scopes: ['members:write'] });
    const byKey = await invite('friend.of.key@acme.example', {}, { 'x-api-key': key, 'x-tenant-id': cast.acme.id });
    for (const { url } of [invitation, byKey]) expect((await open(new Visitor(server), { url })).status).to.equal(200);
    await server.patch(`/api/members/${mia.id}`, { permissions: [] }, alice);
    await server.post(`/api/api-keys/${keyId}/revoke`, {}, alice);
    for (const { url } of [invitation, byKey]) expect((await open(new Visitor(server), { url })).status).to.equal(404);
    await server.patch(`/api/members/${mia.id}`, { permissions: ['members:manage'] }, alice);
    const guest = new Visitor(server);
    expect((await open(guest, invitation)).status).to.equal(200);
    await server.delete(`/api/members/${mia.id}`, alice);
    expect((await join(guest, { name: 'F', password: PASSWORD }, invitation.id)).status).to.equal(404);
  });

  it('opens nothing while the key that sent it is paused, lacks the scope or is ended by a rotation whose key was revoked', async () => {
    const { key, id } = await issue(server, alice, { scopes: ['members:write', 'projects:read'] });
    const sent = await invite('friend.of.tool@acme.example', {}, { 'x-api-key': key, 'x-tenant-id': cast.acme.id });
    const opened = async () => (await open(new Visitor(server), sent)).status;
    expect(await opened()).to.equal(200);
    await server.post(`/api/api-keys/${id}/pause`, {}, alice);
    expect(await opened(), 'paused').to.equal(404);
    await server.post(`/api/api-keys/${id}/resume`, {}, alice);
    expect(await opened(), 'resumed').to.equal(200);
    const next = await rotate(server, alice, id);
    expect(await opened(), 'rotated').to.equal(200);
    await server.patch(`/api/api-keys/${next.id}`, { scopes: ['projects:read'] }, alice);
    expect(await opened(), 'without the scope').to.equal(404);
    await server.patch(`/api/api-keys/${next.id}`, { scopes: ['members:write'] }, alice);
    expect(await opened(), 'with the scope again').to.equal(200);
    await server.post(`/api/api-keys/${next.id}/revoke`, {}, alice);
    expect(await opened(), 'its successor was revoked').to.equal(404);
  });

  it('of a member of this tenant is 409, and gives nobody more than its sender holds', async () => {
    refusal(await server.post(INVITATIONS, { email: cast.bob.email }, alice), 409, 'conflict');
    const mia = await player({ role: 'ADMIN', permissions: ['members:manage'] });
    for (const more of [{ role: 'OWNER' }, { permissions: ['billing:manage'] }]) {
      const answer = await server.post(INVITATIONS, { email: 'raised@acme.example', ...more }, as(mia));
      refusal(answer, 403, 'insufficient_permission');
    }
    refusal(
      await server.post(INVITATIONS, { email: 'x@acme.example' }, as(cast.carol)),
      403,
      'insufficient_permission',
    );
    const owners = await invite('next.owner@acme.example', { role: 'OWNER' });
    refusal(await server.delete(`${INVITATIONS}/${owners.id}`, as(mia)), 403, 'insufficient_permission');
    refusal(await server.get(`${INVITATIONS}/${owners.id}`, as(cast.charlie)), 404, 'not_found');
    expect((await server.post('/api/members', { email: 'x@acme.example' }, alice)).status).to.equal(405);
  });

  it('is answered from a form of our own only', async () => {
    const dan = await player({ role: 'MEMBER' }, cast.globex);
    const invitation = await invite(dan.email);
    const dans = await signedIn(dan);
    await open(dans, invitation);
    expect((await dans.post('/invitation/accept', { invitation: invitation.id })).status).to.equal(403);
    const foreign = { 'Sec-Fetch-Site': 'cross-site' };
    expect((await dans.submit('/invitation/accept', { invitation: invitation.id }, foreign)).status).to.equal(403);
    expect(await membersOf(cast.acme.id)).not.to.include(dan.id);
  });

  it('of a suspended tenant waits until it is active again', async () => {
    const tenant = await addTenant(server.services, 'Paused');
    const owner = await addPlayer(server.services, tenant, 'Paul', { role: 'OWNER' });
    const invitation = await invite('guest@paused.example', {}, as(owner));
    const status = async (now: string) =>
      server.services.db('tenants').where({ id: tenant.id }).update({ status: now });
    await status('suspended');
    expect((await open(new Visitor(server), invitation)).status).to.equal(404);
    await status('active');
    expect((await open(new Visitor(server), invitation)).status).to.equal(200);
  });

  let count = 1;
  async function player(part: Part, tenant = cast.acme): Promise<Player> {
    return addPlayer(server.services, tenant, `I${count++}`, part);
  }

  async function invite(email: string, more: object = {}, headers: Headers = alice): Promise<Invited> {
    const answer = await server.post(INVITATIONS, { email, ...more }, headers);
    expect(answer.status, answer.text).to.equal(201);
    return answer.body as Invited;
  }

  async function signedIn({ email }: { email: string }): Promise<Visitor> {
    const visitor = new Visitor(server);
    expect((await visitor.signIn(email, PASSWORD)).status).to.equal(303);
    return visitor;
  }

  async function accept(visitor: Visitor): Promise<Answer> {
    const { text } = await visitor.get('/invitation');
    const invitation = /name="invitation" value="([^"]+)"/.exec(text)?.[1] ?? '';
    const csrf = /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
    return visitor.post('/invitation/accept', { _csrf: csrf, invitation });
  }

  async function loginToken(email: string, password: string): Promise<{ token: string }> {
    const { status, body } = await server.post('/api/auth/login', { email, password });
    expect(status).to.equal(200);
    return body as { token: string };
  }

  async function reset(email: string, wanted: string): Promise<void> {
    const { token } = await resetLinkFor(server, email);
    const guest = new Visitor(server);
    expect((await openReset(guest, token)).status).to.equal(200);
    expect((await guest.post('/reset', { wanted })).status).to.equal(303);
  }

  async function membersOf(tenantId: string): Promise<string[]> {
    return server.services.db('memberships').where({ tenant_id: tenantId }).pluck<string[]>('user_id');
  }

  async function everythingOf({ id }: Player): Promise<unknown> {
    const { db } = server.services;
    return [await db('users').where({ id }), await db('memberships').where({ user_id: id })];
  }
});

const tokenIn = (url: string) => new URL(url).searchParams.get('token') ?? '';

/** Follows the link as a browser does, and gives the page behind it. */
async function open(visitor: Visitor, { url }: { url: string }): Promise<Answer> {
  await visitor.get(`/invitation?token=${tokenIn(url)}`);
  return visitor.get('/invitation');
}

/** Sends the form of somebody without an account, as the page that is open has it unless the invitation is named. */
async function join(
  visitor: Visitor,
  account: { name: string; password: string },
  invitation?: string,
): Promise<Answer> {
  const { text } = await visitor.get('/invitation');
  const named = invitation ?? /name="invitation" value="([^"]+)"/.exec(text)?.[1] ?? '';
  return visitor.post('/invitation/join', { ...account, invitation: named });
}
