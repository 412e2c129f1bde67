import argon2 from '@node-rs/argon2';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { systemContext } from '../../app/actions/actionContext.ts';
import { changePassword } from '../../app/actions/people/changePassword.ts';
import { changeUser } from '../../app/actions/people/changeUser.ts';
import { issueToken } from '../../app/auth/tokens.ts';
import { LoginAnswer } from '../../app/api/answers/login.ts';
import { addPlayer, bearer, joinTenant, PASSWORD, type Player } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { useServer } from '../support/useServer.ts';

const LOGIN = '/api/auth/login';

interface AuditRow {
  tenant_id: string | null;
  action: string;
  entity: string;
  entity_id: string | null;
  actor_type: string;
  actor_id: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  before: string | null;
  after: string | null;
}

onEachDatabase('logging in', (database) => {
  const { server, ...cast } = useServer(database);

  const login = async (email: string, password: string, headers?: Headers) =>
    server.post(LOGIN, { email, password }, headers);

  it('answers a token that works, the person, and their tenants with the role in each', async () => {
    const { acme, alice } = cast;
    const answer = await login(alice.email, PASSWORD);
    expect(answer.status).to.equal(200);
    const { token, ...rest } = LoginAnswer.parse(answer.body);
    expect(rest).to.deep.equal({
      tokenType: 'Bearer',
      expiresIn: 3600,
      user: { id: alice.id, email: alice.email, name: 'Alice', operator: false },
      tenants: [{ id: acme.id, slug: 'acme', name: 'Acme', role: 'OWNER' }],
    });
    expect((await server.get('/api/v1/whoami', bearer({ token }))).body).to.include({ type: 'user', id: alice.id });
    expect(jwt.decode(token)).to.include({ sub: alice.id, tenantId: acme.id, role: 'OWNER' });
  });

  it('takes the email in any case and with spaces around it', async () => {
    expect((await login(`  ${cast.alice.email.toUpperCase()} `, PASSWORD)).status).to.equal(200);
  });

  it('gives somebody of several tenants one token for all of them, the longest membership first', async () => {
    const erin = await addPlayer(server.services, cast.globex, 'Erin', { role: 'ADMIN' });
    // Two memberships of the same millisecond would be as long as each other.
    await server.services.db('memberships').where({ user_id: erin.id }).decrement('created_at', 1_000);
    await joinTenant(server.services, erin, cast.acme, { role: 'MEMBER' });
    const { token, tenants } = LoginAnswer.parse((await login(erin.email, PASSWORD)).body);
    expect(tenants.map(({ slug, role }) => [slug, role])).to.deep.equal([
      ['globex', 'ADMIN'],
      ['acme', 'MEMBER'],
    ]);
    expect(jwt.decode(token)).not.to.have.any.keys('tenantId', 'role', 'permissions');
    for (const { id } of tenants) {
      const whoami = await server.get('/api/whoami', { ...bearer({ token }), 'x-tenant-id': id });
      expect(whoami.body).to.have.nested.property('tenant.id', id);
    }
  });

  it('says which permissions come with the role and which were granted beyond it', async () => {
    const part = { role: 'MEMBER', permissions: ['api-keys:manage'] } as const;
    const frank = await addPlayer(server.services, cast.acme, 'Frank', part);
    const { token } = LoginAnswer.parse((await login(frank.email, PASSWORD)).body);
    expect(jwt.decode(token)).to.deep.include({ role: 'MEMBER', permissions: ['api-keys:manage'] });
  });

  describe('with anything wrong', () => {
    let disabled: Player;
    before(async () => {
      disabled = await addPlayer(server.services, cast.acme, 'Dora', { role: 'MEMBER' });
      await changeUser(systemContext(server.services.db, cast.acme.id), disabled.id, { status: 'disabled' });
    });

    const wrong: Record<string, () => [email: string, password: string]> = {
      'a wrong password': () => [cast.alice.email, 'not her password'],
      'an unknown email': () => ['nobody@acme.example', PASSWORD],
      'a text that is no email': () => ["' or 1=1 --", PASSWORD],
      'an email in letters no account has': () => ['älice@acme.example', PASSWORD],
      'the right password of somebody disabled': () => [disabled.email, PASSWORD],
      'a password of one character': () => [cast.alice.email, 'x'],
      'a very long password': () => [cast.alice.email, 'x'.repeat(50_000)],
      'a broken character in the email': () => ['\ud800@acme.example', PASSWORD],
    };
    for (const [what, login_] of Object.entries(wrong)) {
      it(`${what} is the same 401, and costs the same work`, async () => {
        const hashes = await countHashes(async () => {
          const answer = await login(...login_());
          expectWrongLogin(answer);
        });
        expect(hashes).to.equal(1);
      });
    }

    it('a right login costs one hash as well', async () => {
      expect(await countHashes(async () => login(cast.alice.email, PASSWORD))).to.equal(1);
    });

    it('somebody without a password cannot log in by any', async () => {
      const grace = await addPlayer(server.services, cast.acme, 'Grace', { role: 'MEMBER' });
      await server.services.db('users').where({ id: grace.id }).update({ password_hash: null });
      expectWrongLogin(await login(grace.email, PASSWORD));
    });

    it('a body that is no login is 422 or 400, without a hash', async () => {
      const bodies: [unknown, number][] = [
        [{}, 422],
        [{ email: cast.alice.email }, 422],
        [{ email: cast.alice.email, password: '' }, 422],
        [{ email: [cast.alice.email], password: PASSWORD }, 422],
        [{ email: cast.alice.email, password: PASSWORD, operator: true }, 422],
        [[], 422],
      ];
      const hashes = await countHashes(async () => {
        for (const [body, status] of bodies) expect((await server.post(LOGIN, body)).status).to.equal(status);
      });
      expect(hashes).to.equal(0);
    });

    it('a form is 415, and only POST is known', async () => {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const body = `email=${cast.alice.email}&password=${PASSWORD}`;
      expect((await server.send('POST', LOGIN, { headers, body })).status).to.equal(415);
      const got = await server.get(LOGIN);
      expect(got.status).to.equal(405);
      expect(got.headers.allow).to.equal('POST');
    });
  });

  it('is refused from the next login on when somebody is disabled, and open again when they are enabled', async () => {
    const act = systemContext(server.services.db, cast.acme.id);
    await changeUser(act, cast.bob.id, { status: 'disabled' });
    expectWrongLogin(await login(cast.bob.email, PASSWORD));
    await changeUser(act, cast.bob.id, { status: 'active' });
    expect((await login(cast.bob.email, PASSWORD)).status).to.equal(200);
  });

  it('gives a new token after a change of the password, and the old ones are refused', async () => {
    const { db, config, secret } = server.services;
    const faye = await addPlayer(server.services, cast.acme, 'Faye', { role: 'MEMBER' });
    const now = Date.now();
    const earlier = issueToken(config.jwt, secret, { userId: faye.id }, now - 5_000);
    const timeless = jwt.sign({ sub: faye.id, exp: Math.floor(now / 1000) + 60 }, secret, {
      noTimestamp: true,
      issuer: config.jwt.issuer,
      audience: config.jwt.audience,
    });
    const whoami = async (token: string) => server.get('/api/v1/whoami', bearer({ token }));
    for (const token of [earlier, timeless]) expect((await whoami(token)).status).to.equal(200);
    const act = systemContext(db, cast.acme.id);
    const change = { current: PASSWORD, wanted: 'another good password' };
    expect(await changePassword(act, { userId: faye.id, sessionId: null }, change)).to.equal('changed');
    for (const token of [earlier, timeless]) {
      const refused = await whoami(token);
      expect([refused.status, (refused.body as { code: string }).code]).to.deep.equal([401, 'invalid_token']);
    }
    const { token } = LoginAnswer.parse((await login(faye.email, change.wanted)).body);
    expect((await whoami(token)).status).to.equal(200);
    const sameSecond = issueToken(config.jwt, secret, { userId: faye.id }, act.now);
    expect((await whoami(sameSecond)).status).to.equal(200);
  });

  describe('is audited', () => {
    async function auditOf(work: () => Promise<unknown>): Promise<AuditRow[]> {
      const { db } = server.services;
      const known = new Set((await db<{ id: string }>('audit_logs').select('id')).map(({ id }) => id));
      await work();
      const rows = await db<AuditRow & { id: string }>('audit_logs');
      return rows.filter(({ id }) => !known.has(id));
    }

    it('once, in the tenant of the person, with who and from where', async () => {
      let requestId: unknown;
      const [row, ...others] = await auditOf(async () => {
        const { headers } = await login(cast.carol.email, PASSWORD, { 'User-Agent': 'curl/8' });
        requestId = headers['x-request-id'];
      });
      expect(others).to.deep.equal([]);
      expect(row).to.include({
        tenant_id: cast.acme.id,
        action: 'LOGIN',
        entity: 'user',
        entity_id: cast.carol.id,
        actor_type: 'user',
        actor_id: cast.carol.id,
        ip: '127.0.0.1',
        user_agent: 'curl/8',
        before: null,
        after: JSON.stringify({ email: cast.carol.email }),
      });
      expect(row?.request_id).to.equal(requestId);
    });

    it('when it fails, in the tenant of whoever it was tried for', async () => {
      const [row, ...others] = await auditOf(async () => login(cast.charlie.email, 'a wrong password'));
      expect(others).to.deep.equal([]);
      expect(row).to.include({
        tenant_id: cast.globex.id,
        action: 'LOGIN_FAILED',
        entity_id: cast.charlie.id,
        actor_type: 'anonymous',
        actor_id: null,
        ip: '127.0.0.1',
        after: JSON.stringify({ email: cast.charlie.email }),
      });
    });

    it('above all tenants when nobody has the email, which is kept, and never the password', async () => {
      const rows = await auditOf(async () => login(' Nobody@Acme.Example', 'the-password-they-typed'));
      expect(rows).to.have.length(1);
      expect(rows[0]).to.include({ tenant_id: null, action: 'LOGIN_FAILED', entity_id: null });
      expect(JSON.parse(rows[0]?.after ?? '')).to.deep.equal({ email: 'nobody@acme.example' });
      expect(JSON.stringify(rows)).not.to.include('the-password-they-typed');
    });

    it('without what was typed for an email and is none, such as a key or a password', async () => {
      for (const typed of ['fsk_live_0123456789abcdefghijABCDEFGHIJ12', 'correct horse', `Nobody ${'x'.repeat(500)}`]) {
        const rows = await auditOf(async () => login(typed, 'whatever it was'));
        expect(rows).to.have.length(1);
        expect(rows[0]).to.include({ tenant_id: null, action: 'LOGIN_FAILED', before: null, after: null });
      }
    });

    it('and updates the person’s lastLoginAt', async () => {
      const before = Date.now();
      await login(cast.alice.email, PASSWORD);
      const row = await server.services
        .db<{ id: string; last_login_at: number }>('users')
        .where({ id: cast.alice.id })
        .first();
      expect(row?.last_login_at).to.be.within(before, Date.now());
    });
  });

  it('leaves no password and no token in the log', async () => {
    const { token } = LoginAnswer.parse((await login(cast.alice.email, PASSWORD)).body);
    await login(cast.alice.email, 'a wrong password');
    const log = server.log.join('');
    expect(log).to.include('/api/auth/login');
    for (const secret of [PASSWORD, 'a wrong password', token, token.split('.')[2] ?? ''])
      expect(log).not.to.include(secret);
  });
});

onEachDatabase('logging in too often', (database) => {
  const { server, ...cast } = useServer(database, { LOGIN_LIMIT: '2/300', TRUSTED_HOPS: '1' });

  const login = async (email: string, password: string, address: string) =>
    server.post(LOGIN, { email, password }, { 'X-Forwarded-For': address });

  function expectLimited(answer: Answer): void {
    expect(answer.status).to.equal(429);
    expect(answer.body).to.include({ code: 'rate_limited' });
    expect(Number(answer.headers['retry-after'])).to.be.within(1, 300);
  }

  it('locks the account after so many failures, also for the right password and from elsewhere', async () => {
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      expectWrongLogin(await login(cast.alice.email, 'wrong password', address));
    }
    const hashes = await countHashes(async () => {
      expectLimited(await login(cast.alice.email, PASSWORD, '192.0.2.3'));
    });
    expect(hashes).to.equal(0);
    expect((await login(cast.bob.email, PASSWORD, '192.0.2.1')).status).to.equal(200);
  });

  it('locks the address after so many failures, whoever it tries next', async () => {
    for (const name of ['x', 'y']) expectWrongLogin(await login(`${name}@acme.example`, PASSWORD, '192.0.2.7'));
    expectLimited(await login(cast.bob.email, PASSWORD, '192.0.2.7'));
    expect((await login(cast.bob.email, PASSWORD, '192.0.2.8')).status).to.equal(200);
  });

  it('never happens to somebody who gets it right', async () => {
    for (let n = 0; n < 5; n++) expect((await login(cast.carol.email, PASSWORD, '192.0.2.9')).status).to.equal(200);
  });

  it('writes no rows for what was refused unseen', async () => {
    const count = async () => (await server.services.db('audit_logs').count({ total: '*' }).first())?.['total'];
    const before = await count();
    expectLimited(await login(cast.alice.email, PASSWORD, '192.0.2.3'));
    expect(await count()).to.equal(before);
  });
});

function expectWrongLogin(answer: Answer): void {
  expect(answer.status).to.equal(401);
  expect(answer.body).to.include({ code: 'invalid_login', detail: 'The email or the password is wrong.' });
  expect(answer.headers['www-authenticate']).to.equal('Bearer realm="latchkey"');
  expect(answer.headers['cache-control']).to.equal('no-store');
}

/** How many passwords were checked meanwhile, right or wrong. */
async function countHashes(work: () => Promise<unknown>): Promise<number> {
  const { verify } = argon2;
  let count = 0;
  Object.assign(argon2, {
    verify: async (hash: string, password: string) => {
      count++;
      return verify(hash, password);
    },
  });
  try {
    await work();
  } finally {
    Object.assign(argon2, { verify });
  }
  return count;
}
