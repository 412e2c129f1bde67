import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { systemContext } from '../../app/actions/actionContext.ts';
import { changeMember } from '../../app/actions/people/changeMember.ts';
import { issueKey } from '../../app/actions/keys/issueKey.ts';
import type { IssuedKey } from '../../app/actions/keys/storedKey.ts';
import { NewKey } from '../../app/domain/keyInput.ts';
import { PERMISSIONS } from '../../app/domain/role.ts';
import { iso } from '../../app/domain/times.ts';
import { issueToken } from '../../app/auth/tokens.ts';
import { PrincipalAnswer } from '../../app/api/answers/principal.ts';
import { addPlayer, as, bearer, castOf, type Cast } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { Provider, published } from '../support/identityProvider.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { useServer } from '../support/useServer.ts';

onEachDatabase('whoami', (database) => {
  const { server, ...cast } = useServer(database);

  async function keyOf(wish: object): Promise<IssuedKey> {
    const { db, config } = server.services;
    return issueKey(systemContext(db, cast.acme.id), config.keys, NewKey.parse({ name: 'CI', ...wish }));
  }

  it('tells a person who they are, below both prefixes', async () => {
    const { acme, bob } = cast;
    for (const answer of [await server.get('/api/v1/whoami', bearer(bob)), await server.get('/api/whoami', as(bob))]) {
      expect(answer.status).to.equal(200);
      expect(answer.body).to.deep.equal({
        type: 'user',
        id: bob.id,
        name: 'Bob',
        tenant: { id: acme.id, slug: 'acme' },
        role: 'MEMBER',
        permissions: [],
      });
    }
  });

  it('tells an owner every permission, and an admin those of the role and those granted', async () => {
    const whoami = await server.get('/api/v1/whoami', bearer(cast.alice));
    expect(whoami.body).to.have.property('permissions').that.has.members(PERMISSIONS);
    const part = { role: 'ADMIN', permissions: ['members:read'] } as const;
    const hugo = await addPlayer(server.services, cast.acme, 'Hugo', part);
    const granted = await server.get('/api/v1/whoami', bearer(hugo));
    expect(granted.body)
      .to.have.property('permissions')
      .that.has.members(['api-keys:read', 'audit:read', 'members:read']);
  });

  it('tells a key its scopes and the role they make, and no time of expiry where there is none', async () => {
    const { key, text } = await keyOf({ scopes: ['read', 'projects:write'] });
    const answer = await server.get('/api/v1/whoami', { 'x-api-key': text });
    expect(answer.body).to.deep.equal({
      type: 'api_key',
      id: key.id,
      name: 'CI',
      tenant: { id: cast.acme.id, slug: 'acme' },
      role: 'MEMBER',
      scopes: ['read', 'projects:write'],
    });
    PrincipalAnswer.parse(answer.body);
  });

  it('tells a key when it expires, and that it acts as an owner', async () => {
    const { key, text } = await keyOf({ scopes: ['*'], expiresInDays: 7 });
    const answer = await server.get('/api/whoami', { Authorization: `ApiKey ${text}`, 'x-tenant-id': 'acme' });
    expect(answer.body).to.include({ role: 'OWNER', expiresAt: iso(key.expiresAt) });
    expect(answer.text).not.to.include(text);
    PrincipalAnswer.parse(answer.body);
  });

  it('names the person a key belongs to, and nobody for a service token of the tenant', async () => {
    const { alice } = cast;
    const { body } = await server.post('/api/api-keys', { name: 'laptop', owner: 'user' }, as(alice));
    const { key } = body as { key: string };
    for (const path of ['/api/v1/whoami', '/api/whoami']) {
      const answer = await server.get(path, { 'x-api-key': key, 'x-tenant-id': 'acme' });
      expect(answer.body).to.deep.include({ user: { id: alice.id, name: 'Alice', email: alice.email } });
      PrincipalAnswer.parse(answer.body);
    }
    const { text } = await keyOf({ scopes: ['read'] });
    expect((await server.get('/api/v1/whoami', { 'x-api-key': text })).body).not.to.have.property('user');
  });

  it('wants some credential', async () => {
    const answer = await server.get('/api/v1/whoami');
    expect(answer.status).to.equal(401);
    expect(answer.body).to.include({ code: 'missing_credential' });
  });

  it('believes the database, whatever role and permissions the token was signed with', async () => {
    const { config, db, secret } = server.services;
    const ida = await addPlayer(server.services, cast.acme, 'Ida', { role: 'OWNER' });
    const claims = { userId: ida.id, tenantId: cast.acme.id, role: 'OWNER', permissions: PERMISSIONS } as const;
    const token = issueToken(config.jwt, secret, claims, Date.now());
    expect((await server.get('/api/v1/whoami', bearer({ token }))).body).to.include({ role: 'OWNER' });
    await changeMember(systemContext(db, cast.acme.id), ida.id, { role: 'MEMBER' });
    const demoted = await server.get('/api/v1/whoami', bearer({ token }));
    expect(demoted.body).to.deep.include({ role: 'MEMBER', permissions: [] });
  });
});

onEachDatabase('whoami of somebody an identity provider vouches for', (database) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const realNow = Date.now.bind(Date);
  let later = 0;
  let provider: Provider;
  let server: TestServer;
  let cast: Cast;
  before(async () => {
    Date.now = () => realNow() + later;
    provider = await Provider.start([published(publicKey, 'one')]);
    server = await startServer(database.env(), { JWT_JWKS_URL: provider.url });
    cast = await castOf(server);
  });
  after(async () => {
    Date.now = realNow;
    await server.stop();
    await provider.stop();
  });

  async function whoami(claims: object, kid = 'one') {
    const options = {
      algorithm: 'RS256',
      keyid: kid,
      issuer: 'latchkey',
      audience: 'latchkey',
      expiresIn: 60,
    } as const;
    return server.get(
      '/api/v1/whoami',
      bearer({ token: jwt.sign({ sub: 'auth0|7', ...claims }, privateKey, options) }),
    );
  }

  it('is the person of ours with the verified email, in whatever case it is written', async () => {
    const answer = await whoami({ email: cast.bob.email.toUpperCase(), email_verified: true });
    expect(answer.body).to.include({ type: 'user', id: cast.bob.id, role: 'MEMBER' });
  });

  it('is in whenever the provider says so, whatever became of their password here', async () => {
    const { db } = server.services;
    const later = Date.now() + 60_000;
    await db('users').where({ id: cast.carol.id }).update({ password_changed_at: later });
    const theirs = await whoami({ email: cast.carol.email, email_verified: true });
    const ours = await server.get('/api/v1/whoami', bearer(cast.carol));
    expect([theirs.status, ours.status]).to.deep.equal([200, 401]);
  });

  it('is nobody with an email that is not verified, or that nobody has', async () => {
    const strangers = [{ email: cast.alice.email }, { email: 'nobody@acme.example', email_verified: true }, {}];
    for (const claims of strangers) {
      const answer = await whoami(claims);
      expect(answer.status).to.equal(401);
      expect(answer.body).to.include({ code: 'invalid_token' });
    }
  });

  it('gets no role from the provider, only from us', async () => {
    const answer = await whoami({
      email: cast.bob.email,
      email_verified: true,
      role: 'OWNER',
      permissions: PERMISSIONS,
    });
    expect(answer.body).to.deep.include({ role: 'MEMBER', permissions: [] });
  });

  it('is known by a key that the provider has rotated in, as soon as five seconds after the set was fetched', async () => {
    const claims = { email: cast.bob.email, email_verified: true };
    await whoami(claims);
    for (const kid of ['rotated', 'rotated again']) {
      provider.keys = [published(publicKey, kid)];
      later += 5_000;
      const asked = provider.asked;
      expect((await whoami(claims, kid)).status).to.equal(200);
      for (const madeUp of ['x', 'y', 'z']) expect((await whoami(claims, madeUp)).status).to.equal(401);
      expect(provider.asked).to.equal(asked + 1);
    }
  });

  it('is 503 while the keys cannot be fetched, and our own tokens go on working', async () => {
    later += 5_000;
    provider.answer = (response) => response.destroy();
    const answer = await whoami({ email: cast.bob.email, email_verified: true }, 'new');
    expect(answer.status).to.equal(503);
    expect(answer.headers['retry-after']).to.equal('1');
    expect((await server.get('/api/v1/whoami', bearer(cast.bob))).status).to.equal(200);
  });
});
