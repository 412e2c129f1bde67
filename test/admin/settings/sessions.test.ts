import { expect } from 'chai';
import { changePassword } from '../../../app/actions/people/changePassword.ts';
import { changeUser } from '../../../app/actions/people/changeUser.ts';
import { systemContext } from '../../../app/actions/actionContext.ts';
import { hashToken, IDLE_MS, LIFETIME_MS } from '../../../app/domain/session.ts';
import { hashPassword } from '../../../app/auth/passwords.ts';
import { addPlayer, PASSWORD } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import type { Answer } from '../../support/http.ts';
import { startServer } from '../../support/server.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage, pageOf } from '../../support/organisationPages.ts';

const HOME = acmePage('/api-keys');

onEachDatabase('a session of the admin', (database) => {
  const { server, ...cast } = useServer(database);

  const visitor = () => new Visitor(server);

  async function signedIn(person: { email: string } = cast.alice): Promise<Visitor> {
    const visitor = new Visitor(server);
    expect((await visitor.signIn(person.email, PASSWORD)).status).to.equal(303);
    return visitor;
  }

  /** The session's row, as another process would see it. */
  const row = (visitor: Visitor) =>
    server.services.db('sessions').where({ token_hash: hashToken(visitor.session ?? '') });

  function expectLogin({ status, headers }: Answer, next?: string): void {
    expect(status).to.equal(303);
    expect(headers.location).to.equal(next === undefined ? '/login' : `/login?next=${encodeURIComponent(next)}`);
  }

  describe('begins', () => {
    it('with email and password, and leads back to the page that was asked for', async () => {
      const guest = visitor();
      expectLogin(await guest.get(`${HOME}?q=a`), `${HOME}?q=a`);
      const { status, headers } = await guest.signIn(cast.alice.email, PASSWORD, `${HOME}?q=a`);
      expect([status, headers.location]).to.deep.equal([303, `${HOME}?q=a`]);
      expect((await guest.get(HOME)).status).to.equal(200);
    });

    it('with cookies that scripts and other sites never get', async () => {
      const { headers } = await visitor().signIn(cast.alice.email, PASSWORD);
      const [session, device, ...others] = headers['set-cookie'] ?? [];
      expect(session).to.match(/^latchkey=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
      expect(device).to.match(/^latchkey-device=[\w.-]{80}; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/);
      expect(others).to.deep.equal([]);
    });

    it('with a token that is stored hashed', async () => {
      const alice = await signedIn();
      const rows: unknown[] = await server.services.db('sessions');
      expect(JSON.stringify(rows)).not.to.include(alice.session);
      expect(await row(alice)).to.have.length(1);
    });

    it('anew at each login: the token the browser had opens nothing any more', async () => {
      const alice = await signedIn();
      const planted = new Visitor(server);
      planted.cookies.set('latchkey', alice.session ?? '');
      await alice.signIn(cast.alice.email, PASSWORD);
      expect(alice.session).not.to.equal(planted.session);
      expectLogin(await planted.get(HOME), HOME);
      expect((await alice.get(HOME)).status).to.equal(200);
    });

    it('not with a wrong password; the form keeps only the email', async () => {
      const guest = visitor();
      const { status, text } = await guest.signIn('"><b>@acme.example', 'wrong password');
      expect(status).to.equal(422);
      expect(text).to.include('role="alert"').and.include('value="&quot;&gt;&lt;b&gt;@acme.example"');
      expect(text).not.to.include('wrong password');
      expect(guest.session).to.equal(undefined);
    });

    it('and leads to pages of this server only', async () => {
      for (const next of ['//evil.example', '/\\evil.example', 'https://evil.example', '/.//evil.example', '/logout']) {
        const { headers } = await visitor().signIn(cast.alice.email, PASSWORD, next);
        expect(headers.location, next).to.equal('/');
      }
    });

    it('not after too many wrong passwords; the page says when to try again', async () => {
      const strict = await startServer(database.env(), { LOGIN_LIMIT: '2/600' });
      const guest = new Visitor(strict);
      for (const wrong of ['wrong', 'wrong too']) {
        expect((await guest.signIn(cast.bob.email, wrong)).status).to.equal(422);
      }
      const { status, headers, text } = await guest.signIn(cast.bob.email, PASSWORD);
      await strict.stop();
      expect(status).to.equal(429);
      expect(headers['retry-after']).to.match(/^[1-9]\d*$/);
      expect(text).to.include('<form').and.include('Too many attempts');
    });
  });

  it('has a cookie bound to the host where pages travel by https', async () => {
    const secure = await startServer(database.env(), { PUBLIC_URL: 'https://keys.example' });
    const alice = new Visitor(secure);
    const { headers } = await alice.signIn(cast.alice.email, PASSWORD);
    expect(headers['set-cookie']?.[0]).to.match(/^__Host-latchkey=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    expect((await alice.get(HOME)).status).to.equal(200);
    await secure.stop();
  });

  describe('ends', () => {
    it('with a sign-out, which the audit log tells of', async () => {
      const alice = await signedIn();
      const copy = new Visitor(server);
      copy.cookies.set('latchkey', alice.session ?? '');
      const [{ id } = { id: '' }] = (await row(alice)) as { id: string }[];
      expect((await alice.submit('/logout')).headers.location).to.equal('/login');
      expect(alice.session).to.equal(undefined);
      expectLogin(await copy.get(HOME), HOME);
      const told: unknown = await server.services.db('audit_logs').where({ action: 'LOGOUT', entity_id: id }).first();
      expect(told).to.include({ tenant_id: cast.acme.id, actor_id: cast.alice.id });
    });

    it('after half an hour without a request', async () => {
      const alice = await signedIn();
      await row(alice).update({ last_seen_at: Date.now() - IDLE_MS });
      expectLogin(await alice.get(HOME), HOME);
    });

    it('after twelve hours, however busy', async () => {
      const alice = await signedIn();
      await row(alice).update({ expires_at: Date.now() });
      expectLogin(await alice.get(HOME), HOME);
    });

    it('not while it is used: each request extends it', async () => {
      const alice = await signedIn();
      const longAgo = Date.now() - IDLE_MS + 60_000;
      await row(alice).update({ last_seen_at: longAgo });
      expect((await alice.get(HOME)).status).to.equal(200);
      const [seen] = (await row(alice)) as { last_seen_at: number; expires_at: number; created_at: number }[];
      expect(seen?.last_seen_at).to.be.greaterThan(longAgo + 60_000);
      expect((seen?.expires_at ?? 0) - (seen?.created_at ?? 0)).to.equal(LIFETIME_MS);
    });

    it('at once when its person is disabled', async () => {
      const dave = await addPlayer(server.services, cast.acme, 'Dave', { role: 'OWNER' });
      const visitor = await signedIn(dave);
      await server.services.db('users').where({ id: dave.id }).update({ status: 'disabled' });
      expectLogin(await visitor.get(HOME), HOME);
    });

    it('everywhere else when the password changes', async () => {
      const erin = await addPlayer(server.services, cast.acme, 'Erin', { role: 'OWNER' });
      const { db } = server.services;
      const [here, elsewhere] = [await signedIn(erin), await signedIn(erin)];
      const [{ id: sessionId } = { id: '' }] = (await row(here)) as { id: string }[];
      const person = { userId: erin.id, sessionId };
      const act = systemContext(db, cast.acme.id);
      await changePassword(act, person, { current: PASSWORD, wanted: 'another good password' });
      expect((await here.get(HOME)).status).to.equal(200);
      expectLogin(await elsewhere.get(HOME), HOME);
      expect(await changePassword(act, person, { current: PASSWORD, wanted: 'x' })).to.equal(undefined);
      await db('users')
        .where({ id: erin.id })
        .update({ password_hash: await hashPassword(PASSWORD) });
    });

    it('and its form for a new password counts wrong current passwords as failed logins', async () => {
      const strict = await startServer(database.env(), { LOGIN_LIMIT: '2/600' });
      try {
        const alice = new Visitor(strict);
        await alice.signIn(cast.alice.email, PASSWORD);
        const csrf = await alice.csrf();
        const guess = async (current: string) =>
          alice.post(acmePage('/settings/password'), { _csrf: csrf, current, wanted: 'another good password' });
        const guesses = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(guess));
        expect(guesses.map(({ status }) => status).sort()).to.deep.equal([422, 422, 429, 429, 429]);
        expect((await guess(PASSWORD)).status).to.equal(429);
        expect((await alice.signIn(cast.alice.email, PASSWORD)).status, 'the same browser').to.equal(429);
      } finally {
        await strict.stop();
      }
    });

    it('for somebody disabled, who is led to the login and stays there, and is no more open when they are enabled', async () => {
      const dana = await addPlayer(server.services, cast.acme, 'Dana', { role: 'ADMIN' });
      const disabled = await signedIn(dana);
      const act = systemContext(server.services.db, cast.acme.id);
      const otherWay = await signedIn(dana);
      const kept = (await row(otherWay).first()) as object;
      await changeUser(act, dana.id, { status: 'disabled' });
      expect(await row(disabled)).to.deep.equal([]);
      // As a release that left it there would have.
      await server.services.db('sessions').insert(kept);
      for (const visitor of [disabled, otherWay]) {
        expectLogin(await visitor.get(HOME), HOME);
        expect((await visitor.get(`/login?next=${encodeURIComponent(HOME)}`)).status).to.equal(200);
      }
      await changeUser(act, dana.id, { status: 'active' });
      expectLogin(await disabled.get(HOME), HOME);
    });

    it('for htmx with a redirect of the whole window, not with a login page inside a part', async () => {
      const { status, headers, text } = await visitor().get(HOME, {
        'HX-Request': 'true',
        'HX-Current-URL': `${server.url}${HOME}?q=a`,
      });
      expect([status, text]).to.deep.equal([401, '']);
      expect(headers['hx-redirect']).to.equal(`/login?next=${encodeURIComponent(`${HOME}?q=a`)}`);
      expect(headers.location).to.equal(undefined);
    });

    it('and a form that was sent too late leads to the login and then to its page', async () => {
      const answer = await visitor().post(acmePage('/settings/password'), {}, { Referer: `${server.url}${HOME}` });
      expectLogin(answer, HOME);
    });
  });

  describe('opens', () => {
    it('each page to those only whom the page lets in', async () => {
      const bob = await signedIn(cast.bob);
      const { status, text } = await bob.get(HOME);
      expect(status).to.equal(403);
      expect(text).to.include('You may not open this').and.not.include('<table');
      const actions = [...text.matchAll(/<form[^>]* action="([^"]+)"/g)].map(([, action]) => action);
      expect(actions).to.include('/logout');
      expect(actions.filter((action) => action?.startsWith(HOME))).to.deep.equal([]);
      expect((await (await signedIn(cast.carol)).get(HOME)).status).to.equal(200);
    });

    it('nothing of the API', async () => {
      const alice = await signedIn();
      const cookie = { Cookie: `latchkey=${alice.session}`, 'x-tenant-id': cast.acme.id };
      for (const path of ['/api/api-keys', '/api/v1/api-keys', '/api/v1/whoami']) {
        expect((await server.get(path, cookie)).status, path).to.equal(401);
      }
    });

    it('nothing of a tenant that is suspended', async () => {
      const tenants = () => server.services.db('tenants').where({ id: cast.globex.id });
      const charlie = await signedIn(cast.charlie);
      await tenants().update({ status: 'suspended' });
      const { status, text } = await charlie.get(pageOf(cast.globex, '/api-keys'));
      expect(status).to.equal(403);
      expect(text).to.include('This organisation is suspended');
      const token = /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
      expect(text).to.include('action="/logout"');
      expectLogin(await charlie.post('/logout', { _csrf: token }));
      expect(await row(charlie)).to.deep.equal([]);
      await tenants().update({ status: 'active' });
    });
  });

  describe('takes forms', () => {
    it('with its own token only, and says what to do', async () => {
      const [alice, carol] = [await signedIn(), await signedIn(cast.carol)];
      for (const token of ['', 'x', await carol.csrf(), `${await alice.csrf()}x`]) {
        const { status, text } = await alice.post('/logout', { _csrf: token });
        expect(status, token).to.equal(403);
        expect(text).to.include('Nothing was changed.').and.include('Open the page once more');
      }
      expect((await alice.get(HOME)).status).to.equal(200);
    });

    it('with the token in the header that htmx sends', async () => {
      const alice = await signedIn();
      const token = await alice.csrf();
      const headers = { 'HX-Request': 'true', 'X-CSRF-Token': token };
      const answer = await alice.post(acmePage('/shown-once'), {}, headers);
      expect([answer.status, answer.headers['hx-redirect']]).to.deep.equal([204, `${acmePage()}#main`]);
      expect((await alice.post(acmePage('/shown-once'), {}, { 'HX-Request': 'true' })).status).to.equal(403);
    });

    const foreign: [string, Record<string, string>][] = [
      ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
      ['another host of the domain', { 'Sec-Fetch-Site': 'same-site' }],
      ['another origin', { Origin: 'https://evil.example' }],
      ['nowhere', { Origin: 'null' }],
    ];
    for (const [where, headers] of foreign) {
      it(`never from ${where}, the login included`, async () => {
        const alice = await signedIn();
        const token = await alice.csrf();
        expect((await alice.post('/logout', { _csrf: token }, headers)).status).to.equal(403);
        const login = { email: cast.alice.email, password: PASSWORD };
        expect((await visitor().post('/login', login, headers)).status).to.equal(403);
        expect((await visitor().post('/preferences', { theme: 'light' }, headers)).status).to.equal(403);
        expect((await alice.get(HOME)).status).to.equal(200);
      });
    }
  });

  describe('remembers', () => {
    it('the language and the look of its person, in every browser of theirs', async () => {
      const alice = await signedIn();
      const next = `${HOME}?q=a`;
      for (const wish of [{ locale: 'fr' }, { theme: 'light' }]) {
        expect((await alice.submit('/preferences', { ...wish, next })).headers.location).to.equal(next);
      }
      const { text } = await (await signedIn()).get(HOME);
      expect(text).to.include('<html lang="fr" data-theme="light">').and.include('Clés d’API');
      await alice.submit('/preferences', { locale: 'en', theme: 'dark' });
    });

    it('before it begins, what this browser chose, else what it asks for', async () => {
      const guest = new Visitor(server, { 'Accept-Language': 'fr-CA,en;q=0.5' });
      expect((await guest.get('/login')).text)
        .to.include('<html lang="fr">')
        .and.include('Se connecter');
      const { headers } = await guest.post('/preferences', { locale: 'en', next: '/login?next=%2Fadmin%2Fusage' });
      expect(headers.location).to.equal('/login?next=%2Fadmin%2Fusage');
      expect((await guest.get('/login')).text).to.include('<html lang="en">');
    });

    it('no language and no theme that does not exist', async () => {
      const alice = await signedIn();
      await alice.submit('/preferences', { locale: 'xx', theme: '"><script>' });
      expect((await alice.get(HOME)).text)
        .to.include('<html lang="en"')
        .and.not.include('"><script>');
    });
  });

  it('has pages that no cache keeps, and that differ for htmx by Vary', async () => {
    const alice = await signedIn();
    const { headers } = await alice.get(HOME);
    expect(headers['cache-control']).to.equal('no-store');
    expect(headers.vary).to.include('HX-Request');
  });

  it('shows errors in French to a reader of French', async () => {
    const guest = new Visitor(server, { 'Accept-Language': 'fr' });
    const { text } = await guest.get('/admin/nothing');
    expect(text).to.include('<html lang="fr">').and.include('<h1>Introuvable</h1>').and.include('Rien n’a été modifié');
  });

  it('ignores a forged notice cookie', async () => {
    const alice = await signedIn();
    for (const notice of [
      'x',
      '{}',
      '{"text":"keys.title","values":7}',
      '{"text":"__proto__"}',
      '{"text":"said.x"}',
      'null',
    ]) {
      alice.cookies.set('latchkey-notice', Buffer.from(notice).toString('base64url'));
      expect((await alice.get(HOME)).status, notice).to.equal(200);
    }
  });
});
