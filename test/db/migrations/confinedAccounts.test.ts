import { expect } from 'chai';
import { systemContext } from '../../../app/actions/actionContext.ts';
import { makeResetLink } from '../../../app/actions/people/resetPassword.ts';
import { readConfig } from '../../../app/config.ts';
import type { DatabaseConfig } from '../../../db/connection/settings.ts';
import { hashPassword } from '../../../app/auth/passwords.ts';
import { connect } from '../../../db/connection/connect.ts';
import { migrate } from '../../../db/migrate.ts';
import { STEPS } from '../../../db/migrations/index.ts';
import { PASSWORD } from '../../support/cast.ts';
import { onEachDatabase, type TestDatabase } from '../../support/databases.ts';
import type { Headers } from '../../support/http.ts';
import { refusal } from '../../support/keys.ts';
import { JWT_SECRET } from '../../support/server.ts';
import { useServerWithoutCast } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { pageOf } from '../../support/organisationPages.ts';

const RELEASED = STEPS.slice(
  0,
  STEPS.findIndex(({ name }) => name === 'create invitations'),
);
const FIRST_PERSON = '00000000-0000-7000-8000-000000000001';
const HOME = '01a20000-0000-7000-8000-0000000000aa';
const SECOND = '01a20000-0000-7000-8000-0000000000bb';

/** Somebody as the release before knew them: with a first password unless they changed it, in these tenants in this order. */
interface Former {
  id: string;
  name: string;
  tenants: string[];
  changedAt?: number;
  noPassword?: boolean;
}

const PEOPLE: Former[] = [
  { id: FIRST_PERSON, name: 'ada', tenants: [HOME, SECOND] },
  { id: '01a20000-0000-7000-8000-000000000001', name: 'told', tenants: [HOME, SECOND] },
  { id: '01a20000-0000-7000-8000-000000000002', name: 'only', tenants: [HOME] },
  { id: '01a20000-0000-7000-8000-000000000003', name: 'changed', tenants: [HOME, SECOND], changedAt: 5 },
  { id: '01a20000-0000-7000-8000-000000000004', name: 'nowhere', tenants: [] },
  { id: '01a20000-0000-7000-8000-000000000005', name: 'federated', tenants: [HOME, SECOND], noPassword: true },
];

onEachDatabase('an account of the release before whose first password was never changed', (database) => {
  before(async function () {
    this.timeout(60_000);
    await fillFormer(database);
  });
  const server = useServerWithoutCast(database);

  it('is confined to the tenant that its person joined first, and no other account is', async () => {
    const rows = await server.services.db<{ email: string; confined_to: string | null }>('users').orderBy('id');
    expect(rows.map(({ email, confined_to: to }) => [email.split('@')[0], to])).to.deep.equal([
      ['ada', null],
      ['told', HOME],
      ['only', HOME],
      ['changed', null],
      ['nowhere', ''],
      ['federated', null],
    ]);
  });

  it('goes on working there, by token and by session, and nowhere else', async () => {
    const token = await login('told');
    expect((await server.get('/api/v1/whoami', token)).body).to.have.nested.property('tenant.id', HOME);
    expect((await server.get('/api/projects', { ...token, 'x-tenant-id': HOME })).status).to.equal(200);
    for (const path of ['/api/projects', '/api/v1/whoami']) {
      refusal(await server.get(path, { ...token, 'x-tenant-id': SECOND }), 403, 'password_change_required');
    }
    const visitor = new Visitor(server);
    await visitor.signIn('told@acme.example', PASSWORD);
    expect((await visitor.get('/admin/front')).headers.location).to.match(/^\/admin\/org\/home\//);
    expect((await visitor.get(pageOf({ slug: 'home' }, '/membership'))).text).to.include('Home');
    const other = await visitor.get(pageOf({ slug: 'a-second' }, '/membership'));
    expect(other.status).to.equal(403);
    expect(other.text).to.include('Ask the operator of this installation for a link');
  });

  it('is not opened elsewhere by being removed from that tenant, nor by changing the password it has', async () => {
    const { db } = server.services;
    const told = PEOPLE[1]?.id ?? '';
    const membership = { tenant_id: HOME, user_id: told };
    const row = (await db('memberships').where(membership).first()) as object;
    await db('memberships').where(membership).delete();
    const token = await login('told');
    refusal(await server.get('/api/v1/whoami', token), 403, 'password_change_required');
    const visitor = new Visitor(server);
    await visitor.signIn('told@acme.example', PASSWORD);
    for (const path of ['/admin/front', pageOf({ slug: 'a-second' }, '/membership')]) {
      expect((await visitor.get(path)).status, path).to.equal(403);
    }
    await db('memberships').insert(row);
  });

  it('accepts no invitation into another tenant, until its person has chosen a new password by an operator’s link', async () => {
    const owner = { ...(await login('ada')), 'x-tenant-id': SECOND };
    const made = await server.post('/api/members/invitations', { email: 'only@acme.example' }, owner);
    const { url } = made.body as { url: string };
    const visitor = new Visitor(server);
    await visitor.signIn('only@acme.example', PASSWORD);
    expect((await accept(visitor, url)).status).to.equal(403);
    expect(await tenantsOf('only')).to.deep.equal([HOME]);

    await reset('only', 'a new evening walk');
    const again = new Visitor(server);
    await again.signIn('only@acme.example', 'a new evening walk');
    expect((await accept(again, url)).status).to.equal(303);
    expect(await tenantsOf('only')).to.have.members([HOME, SECOND]);
  });

  it('opens all of its tenants once the password was reset', async () => {
    await reset('told', 'another evening walk');
    // The token of the very second of the reset is refused, so that the next one is asked for.
    await server.services.db('users').where({ email: 'told@acme.example' }).decrement('password_changed_at', 1_000);
    const token = await login('told', 'another evening walk');
    expect((await server.get('/api/projects', { ...token, 'x-tenant-id': SECOND })).status).to.equal(200);
  });

  async function login(name: string, password = PASSWORD): Promise<Headers> {
    const { body, status, text } = await server.post('/api/auth/login', { email: `${name}@acme.example`, password });
    expect(status, text).to.equal(200);
    return { Authorization: `Bearer ${(body as { token: string }).token}` };
  }

  async function accept(visitor: Visitor, url: string) {
    await visitor.get(new URL(url).pathname + new URL(url).search);
    const { text } = await visitor.get('/invitation');
    const invitation = /name="invitation" value="([^"]+)"/.exec(text)?.[1] ?? '';
    const csrf = /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
    return visitor.post('/invitation/accept', { _csrf: csrf, invitation });
  }

  async function reset(name: string, wanted: string): Promise<void> {
    const { db } = server.services;
    const user = await db('users')
      .where({ email: `${name}@acme.example` })
      .first<{ id: string }>('id');
    const { token } = await makeResetLink(systemContext(db, ''), user.id);
    const guest = new Visitor(server);
    await guest.get(`/reset?token=${token}`);
    expect((await guest.post('/reset', { wanted })).status).to.equal(303);
  }

  async function tenantsOf(name: string): Promise<string[]> {
    const { db } = server.services;
    const ids = db('users')
      .where({ email: `${name}@acme.example` })
      .select('id');
    return db('memberships').whereIn('user_id', ids).pluck<string[]>('tenant_id');
  }
});

/** Brings the database to the schema of the release before, with its people. */
async function fillFormer(database: TestDatabase): Promise<void> {
  const config: DatabaseConfig = readConfig({ JWT_SECRET, ...database.env() }).database;
  await migrate(config, { steps: RELEASED });
  const db = connect(config);
  const times = { created_at: 1, updated_at: 1 };
  const passwordHash = await hashPassword(PASSWORD);
  try {
    await db('tenants').insert([
      { id: HOME, slug: 'home', name: 'Home', ...times },
      { id: SECOND, slug: 'a-second', name: 'Second', ...times },
    ]);
    for (const { id, name, tenants, changedAt, noPassword = false } of PEOPLE) {
      await db('users').insert({
        id,
        email: `${name}@acme.example`,
        name,
        password_hash: noPassword ? null : passwordHash,
        operator: name === 'ada',
        password_changed_at: changedAt ?? null,
        ...times,
      });
      for (const [place, tenant] of tenants.entries()) {
        await db('memberships').insert({
          tenant_id: tenant,
          user_id: id,
          role: 'OWNER',
          permissions: '[]',
          created_at: 10 + place,
          updated_at: 10,
        });
      }
    }
  } finally {
    await db.destroy();
  }
}
