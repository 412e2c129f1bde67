import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import jwt, { type JwtPayload } from 'jsonwebtoken';
import { ROOT } from '../../app/root.ts';
import { IssuedKeyAnswer, KeyAnswer, RevokedAnswer } from '../../app/api/answers/key.ts';
import { COMMANDS } from '../../scripts/admin/commands.ts';
import { run } from '../../scripts/admin/run.ts';
import { bearer } from '../support/cast.ts';
import { onDatabase, onEachDatabase } from '../support/databases.ts';
import type { Answer } from '../support/http.ts';
import { JWT_SECRET, startServer, type TestServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

interface Outcome {
  code: number;
  out: string;
  err: string;
}

type Json = Record<string, unknown>;

onEachDatabase('the operator’s tool', (database) => {
  let server: TestServer;

  /** Runs a command as it is written in a terminal; single quotes hold words together. */
  async function admin(line: string, stdin = '', env: { DATA_DIR?: string } = {}): Promise<Outcome> {
    const out: string[] = [];
    const err: string[] = [];
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
    const code = await run(words, {
      env: { ...database.env(), JWT_SECRET, LOG_LEVEL: 'trace', ...env },
      readInput: async () => stdin,
      write: (text) => out.push(text),
      complain: (text) => err.push(text),
    });
    return { code, out: out.join('\n'), err: err.join('\n') };
  }

  async function said(line: string, stdin?: string): Promise<string> {
    const { code, out, err } = await admin(line, stdin);
    expect(err).to.equal('');
    expect(code).to.equal(0);
    return out;
  }

  async function json(line: string, stdin?: string): Promise<Json> {
    const out = await said(`${line} --json`, stdin);
    expect(out).not.to.include('\n');
    return JSON.parse(out) as Json;
  }

  async function expectComplaint(line: string, code: number, text: string | RegExp): Promise<void> {
    const outcome = await admin(line);
    if (typeof text === 'string') expect(outcome.err).to.equal(text);
    else expect(outcome.err).to.match(text);
    expect(outcome.err).not.to.include('\n');
    expect(outcome).to.include({ code, out: '' });
  }

  const get = async (url: string, token: unknown): Promise<Answer> => server.get(url, bearer({ token: String(token) }));

  if (database.kind === 'mysql') {
    it('asks for a migration before anything else, for a server is migrated by the release', async () => {
      await expectComplaint('tenant list', 1, /npm run -s admin -- migrate/);
    });
  }

  if (database.kind === 'sqlite') {
    it('names a file that is no database', async () => {
      const DATA_DIR = path.join(database.env().DATA_DIR, 'other');
      await mkdir(DATA_DIR);
      await writeFile(path.join(DATA_DIR, 'latchkey.db'), 'no database'.repeat(100));
      const outcome = await admin('tenant list', '', { DATA_DIR });
      expect(outcome).to.include({ code: 1, out: '' });
      expect(outcome.err).to.match(/^\S+other\/latchkey\.db is no SQLite database: move it away, or set DATA_DIR/);
    });
  }

  it('migrate: takes every step once and names them', async () => {
    const lines = await said('migrate');
    expect(lines)
      .to.match(/^create tenants$/m)
      .and.match(/^Took \d+ steps\.$/m);
    expect(await said('migrate')).to.equal('The schema is up to date.');
    expect(await json('migrate')).to.deep.equal({ steps: [] });
  });

  describe('on a migrated database', () => {
    before(async () => {
      server = await startServer(database.env());
    });
    after(async () => server.stop());

    it('tenant create: makes a tenant, with the slug its name suggests or the one asked for', async () => {
      expect(await said(`tenant create --name 'Müller & Söhne'`)).to.match(/slug muller-sohne, id [0-9a-f-]{36}$/);
      const again = await json(`tenant create --name 'Müller & Söhne'`);
      expect(again)
        .to.include({ slug: 'muller-sohne-2', name: 'Müller & Söhne' })
        .and.to.have.all.keys('id', 'slug', 'name');
      expect(await json('tenant create --name Acme --slug acme')).to.include({ slug: 'acme' });
      await expectComplaint('tenant create --name Other --slug acme', 1, 'Another tenant has this slug.');
    });

    it('tenant list: shows every tenant', async () => {
      const { data } = (await json('tenant list')) as { data: Json[] };
      expect(data.map(({ slug }) => slug)).to.deep.equal(['muller-sohne', 'muller-sohne-2', 'acme']);
      expect(data[2]).to.have.all.keys('id', 'slug', 'name', 'status', 'externalId', 'createdAt');
      const lines = (await said('tenant list')).split('\n');
      expect(lines).to.have.length(4);
      expect(lines[3]).to.match(/^acme +Acme +active +[0-9a-f-]{36}$/);
    });

    it('tenant activate: lets a suspended tenant in again', async () => {
      await server.services.db('tenants').where({ slug: 'acme' }).update({ status: 'suspended' });
      expect(await said('tenant activate --tenant acme')).to.equal('Acme (acme) is active again');
      expect(await json('tenant activate --tenant acme')).to.include({ slug: 'acme', status: 'active' });
      expect(await said('tenant activate --tenant acme')).to.equal('Acme (acme) is active already');
      await expectComplaint('tenant activate --tenant nobody', 1, /^There is no tenant "nobody"/);
      const rows = await server.services.db('audit_logs').where({ action: 'TENANT_UPDATED' }).pluck('after');
      expect(rows).to.deep.equal([JSON.stringify({ status: 'active' })]);
    });

    it('user create: makes somebody who can log in by the password that was printed', async () => {
      const lines = await said('user create --email Ann@Acme.example --name Ann --tenant acme --role owner');
      const password = /^Password, shown this once: (\S{20})$/m.exec(lines)?.[1];
      const answer = await server.post('/api/auth/login', { email: 'ann@acme.example', password });
      expect(answer.status).to.equal(200);
      expect(answer.body).to.have.nested.property('user.operator', false);
      expect(answer.body).to.have.nested.property('tenants[0].role', 'OWNER');
    });

    it('user create: takes the password from standard input, and does not repeat it', async () => {
      const password = 'piped in, with spaces ';
      const line =
        'user create --email bob@acme.example --name Bob --tenant acme --role MEMBER --operator --password-stdin';
      const made = await json(line, `${password}\n`);
      expect(made)
        .to.include({ email: 'bob@acme.example', role: 'MEMBER', created: true })
        .and.not.to.have.property('password');
      const answer = await server.post('/api/auth/login', { email: 'bob@acme.example', password });
      expect(answer.body).to.have.nested.property('user.operator', true);
    });

    it('user create: prints the password to scripts as well', async () => {
      const made = await json('user create --email eve@acme.example --name Eve --tenant acme --role ADMIN');
      expect(made['password']).to.match(/^\S{20}$/);
      expect(made).to.have.nested.property('tenant.slug', 'acme');
    });

    it('user create: takes somebody who exists into another tenant, once, and leaves their password alone', async () => {
      const line = 'user create --email eve@acme.example --name Eve --tenant muller-sohne --role MEMBER';
      expect(await json(line))
        .to.include({ role: 'MEMBER', created: false })
        .and.not.to.have.property('password');
      await expectComplaint(line, 1, 'This person is a member already.');
      await expectComplaint(`${line} --password-stdin`, 2, /exists already/);
    });

    it('user create: invites somebody whose account no operator made, for a stranger may have made it', async () => {
      const { db } = server.services;
      await json('user create --email ivy@acme.example --name Ivy --tenant acme --role MEMBER');
      await db('users').where({ email: 'ivy@acme.example' }).update({ vouched_at: null });
      const made = await json('user create --email ivy@acme.example --name Ivy --tenant muller-sohne --role ADMIN');
      expect(made).to.include({ created: false, role: 'ADMIN' });
      const { url } = made['invitation'] as { url: string };
      expect(url).to.match(/^http.+\/invitation\?token=[\w-]{43}$/);
      const ids = db('users').where({ email: 'ivy@acme.example' }).select('id');
      expect(await db('memberships').whereIn('user_id', ids)).to.have.length(1);
    });

    it('user reset-link: prints a link by which its person chooses a new password, and vouches for the account', async () => {
      await json('user create --email ivo@acme.example --name Ivo --tenant acme --role MEMBER');
      const { db } = server.services;
      await db('users').where({ email: 'ivo@acme.example' }).update({ vouched_at: null });
      const lines = await said('user reset-link --email Ivo@Acme.example');
      const token = /\/reset\?token=([\w-]{43})$/m.exec(lines)?.[1] ?? '';
      const visitor = new Visitor(server);
      await visitor.get(`/reset?token=${token}`);
      expect((await visitor.post('/reset', { wanted: 'chosen by Ivo himself' })).status).to.equal(303);
      expect((await visitor.signIn('ivo@acme.example', 'chosen by Ivo himself')).status).to.equal(303);
      const row = (await db('users').where({ email: 'ivo@acme.example' }).first()) as { vouched_at: number | null };
      expect(row.vouched_at).not.to.equal(null);
      await expectComplaint('user reset-link --email nobody@acme.example', 1, /^Nobody has the email/);
    });

    const badPeople: [more: string, code: number, text: RegExp][] = [
      ['--email nobody --name N --tenant acme --role OWNER', 2, /^--email: Must be an email address$/],
      [`--email n@x --name '' --tenant acme --role OWNER`, 2, /^--name: Must not be empty$/],
      ['--email n@x --name N --tenant acme --role KING', 2, /^--role: Must be one of OWNER, ADMIN, MEMBER$/],
      ['--email n@x --name N --tenant nope --role OWNER', 1, /^There is no tenant "nope"/],
      ['--email n@x --name N --tenant acme', 2, /^user create needs --role$/],
    ];
    for (const [more, code, text] of badPeople) {
      it(`user create ${more}: is refused`, async () => expectComplaint(`user create ${more}`, code, text));
    }

    it('user create: refuses a password that is too short', async () => {
      const line = 'user create --email n@x.example --name N --tenant acme --role OWNER --password-stdin';
      const outcome = await admin(line, 'short\n');
      expect(outcome).to.include({ code: 1, out: '' });
      expect(outcome.err).to.include('password: Must be at least 10 characters long').and.not.to.include('short\n');
    });

    it('token: prints a token that works, and nothing else', async () => {
      const token = await said('token --email ann@acme.example --tenant acme');
      expect(token).to.match(/^[\w-]+\.[\w-]+\.[\w-]+$/);
      expect((await get('/api/v1/whoami', token)).body).to.include({ name: 'Ann', role: 'OWNER' });
      const answer = await json('token --email ANN@acme.example --tenant acme');
      expect(answer).to.have.all.keys('token', 'expiresIn').and.to.include({ expiresIn: 3600 });
    });

    it('token: is good for the one tenant that was named', async () => {
      const token = await said('token --email eve@acme.example --tenant muller-sohne');
      const { tenantId } = jwt.decode(token) as JwtPayload;
      expect((await get('/api/v1/whoami', token)).body).to.have.nested.property('tenant.id', tenantId);
      const elsewhere = await server.get('/api/whoami', { ...bearer({ token }), 'x-tenant-id': 'acme' });
      expect(elsewhere.status).to.equal(403);
    });

    it('token: is written down where it counts, and refused to strangers and the disabled', async () => {
      const { db } = server.services;
      const logins = async () => db('audit_logs').where({ action: 'LOGIN', actor_type: 'system' });
      const before = (await logins()).length;
      await said('token --email ann@acme.example --tenant acme');
      expect(await logins()).to.have.length(before + 1);
      await expectComplaint('token --email ann@acme.example --tenant muller-sohne', 1, /is no member of muller-sohne/);
      await expectComplaint('token --email nobody@x.example --tenant acme', 1, /is no member of acme/);
      await db('users').where({ email: 'eve@acme.example' }).update({ status: 'disabled' });
      await expectComplaint('token --email eve@acme.example --tenant acme', 1, /is disabled/);
    });

    it('key create: issues a key that works at once, in both forms', async () => {
      const lines = (
        await said('key create --tenant acme --name CI --scopes read,write:projects --environment test')
      ).split('\n');
      const key = lines.at(-1) ?? '';
      expect(key).to.match(/^fsk_test_\w{32}$/);
      expect((await server.get('/api/v1/whoami', { 'x-api-key': key })).body).to.deep.include({
        name: 'CI',
        scopes: ['read', 'projects:write'],
      });
      const issued = IssuedKeyAnswer.parse(
        await json('key create --tenant acme --name Zapier --expires-in-days 30 --rate-limit 60000/60'),
      );
      expect(issued).to.deep.include({ scopes: ['read'], rateLimit: { limit: 60_000, windowSeconds: 60 } });
      expect((await get('/api/v1/whoami', issued.key)).body).to.include({ expiresAt: issued.expiresAt });
    });

    const badKeys: [more: string, text: RegExp][] = [
      ['--name x --scopes nope:x', /^--scopes: Unknown scope: nope:x$/],
      ['--name x --expires-in-days 366', /^--expires-in-days: /],
      ['--name x --expires-in-days soon', /^--expires-in-days: Must be a whole number$/],
      ['--name x --environment prod', /^--environment: /],
      ['--name x --rate-limit 600', /^--rate-limit: Must be requests\/seconds, such as 600\/60$/],
      ['--name x --rate-limit 600/9999999', /^--rate-limit: Must be at most /],
      [`--name ''`, /^--name: Must not be empty$/],
    ];
    for (const [more, text] of badKeys) {
      it(`key create ${more}: is refused`, async () => expectComplaint(`key create --tenant acme ${more}`, 2, text));
    }

    it('key list: shows the keys of the tenant, masked', async () => {
      const { data } = (await json('key list --tenant acme')) as { data: unknown[] };
      const names = data.map((key) => KeyAnswer.parse(key).name);
      expect(names).to.have.members(['CI', 'Zapier']);
      const lines = (await said('key list --tenant acme')).split('\n');
      expect(lines).to.have.length(3);
      expect(lines.join('\n')).to.match(/fsk_test_\w{8}…\w{4} +CI +active +read,projects:write/);
      expect(((await json('key list --tenant muller-sohne')) as { data: unknown[] }).data).to.deep.equal([]);
    });

    it('key rotate: shows a new key that works while the old one stops, or ends with the grace', async () => {
      const old = IssuedKeyAnswer.parse(await json('key create --tenant acme --name Rotated'));
      const next = IssuedKeyAnswer.parse(await json(`key rotate ${old.id}`));
      expect(next.previousKeyId).to.equal(old.id);
      expect((await get('/api/v1/whoami', old.key)).status).to.equal(401);
      expect((await get('/api/v1/whoami', next.key)).status).to.equal(200);
      await expectComplaint(`key rotate ${old.id}`, 1, /rotated already/);
      const last = (await said(`key rotate ${next.id} --grace-period-seconds 60`)).split('\n').at(-1);
      expect((await get('/api/v1/whoami', next.key)).status).to.equal(200);
      expect((await get('/api/v1/whoami', last)).status).to.equal(200);
    });

    it('key revoke: ends a key at once, and says the same again', async () => {
      const { id, key } = IssuedKeyAnswer.parse(await json('key create --tenant acme --name Revoked'));
      expect(await said(`key revoke ${id} --reason 'left in a mail'`)).to.match(
        /^Revoked Revoked \(fsk_live_\w{8}…\w{4}\) at /,
      );
      expect((await get('/api/v1/whoami', key)).status).to.equal(401);
      expect(RevokedAnswer.parse(await json(`key revoke ${id}`))).to.include({ id });
    });

    it('key revoke: says which other keys of its rotations still work, until when, and how to end them', async () => {
      const old = IssuedKeyAnswer.parse(await json('key create --tenant acme --name Overlap'));
      const fresh = IssuedKeyAnswer.parse(await json(`key rotate ${old.id} --grace-period-seconds 600`));
      const lines = (await said(`key revoke ${fresh.id}`)).split('\n');
      expect(lines[1]).to.match(/^A key that it replaced, fsk_live_\w{8}…\w{4}, still works until 20[-\dT:.]+Z\.$/);
      expect(lines[2]).to.equal(`To end that too: key revoke ${old.id}`);
      expect((await said(`key revoke ${old.id}`)).split('\n')).to.have.length(1);
    });

    it('key import: names refused lines, imports for the tenant that each line names, and changes nothing again', async () => {
      const texts = ['sk_old_first_key', 'sk_old_second_key'] as const;
      const hashes = texts.map((text) => createHash('sha256').update(text).digest('base64url'));
      const lines = [
        JSON.stringify({ name: 'one', hash: hashes[0], prefix: 'sk_old_', scopes: ['read'] }),
        JSON.stringify({ name: 'two', hash: hashes[1], tenant: 'muller-sohne', scopes: ['read'] }),
        JSON.stringify({ name: 'three', hash: hashes[1], tenant: 'muller-sohne' }),
        JSON.stringify({ name: 'four', hash: 'x', tenant: 'nowhere' }),
      ].join('\n');
      const command = 'key import - --tenant acme';
      const dry = await said(`${command} --dry-run`, lines);
      expect(dry.split('\n')).to.deep.equal([
        '2 would be imported, 0 there already, 2 refused',
        'line 3: hash: Is the hash of an earlier line too',
        'line 4: tenant: There is no such tenant.',
      ]);
      expect((await said(command, lines)).split('\n').at(-1)).to.match(/^Nothing was imported: .* --skip-bad$/);
      expect(await json(`${command} --skip-bad`, lines)).to.deep.include({ imported: 2, present: 0, refused: 2 });
      await server.services.keyTexts.refresh();
      const [one, two] = await Promise.all(
        texts.map(async (text) => (await server.get('/api/v1/whoami', { 'x-api-key': text })).body as Json),
      );
      expect(one).to.deep.include({ name: 'one' });
      expect((two?.['tenant'] as Json)['slug']).to.equal('muller-sohne');
      expect(await json(`${command} --skip-bad`, lines)).to.deep.include({ imported: 0, present: 2, refused: 2 });
      await expectComplaint('key import /nowhere.csv --tenant acme', 1, /^\/nowhere.csv cannot be read \(ENOENT\)$/);
    });

    it('key pause: refuses a key at once, and key resume lets it work again', async () => {
      const { id, key } = IssuedKeyAnswer.parse(await json('key create --tenant acme --name Paused'));
      expect(await said(`key pause ${id} --reason 'an outage'`)).to.match(/^Paused Paused \(fsk_live_\w{8}…\w{4}\)$/);
      expect((await get('/api/v1/whoami', key)).status).to.equal(401);
      expect(KeyAnswer.parse(await json(`key pause ${id}`))).to.include({ id, status: 'paused' });
      expect(await said(`key resume ${id}`)).to.match(/^Resumed Paused /);
      expect((await get('/api/v1/whoami', key)).status).to.equal(200);
    });

    it('key rotate and key revoke: an id nobody has is exit 1', async () => {
      for (const id of ['01890a5d-ac96-774b-bcce-b302099a8057', 'nonsense']) {
        await expectComplaint(`key rotate ${id}`, 1, /^There is no key with the id/);
        await expectComplaint(`key revoke ${id}`, 1, /^There is no key with the id/);
      }
    });

    const misunderstood: [line: string, text: RegExp][] = [
      ['', /^No command was given: --help lists them$/],
      ['--json', /^No command was given/],
      ['tenant', /^"tenant" is no command/],
      ['tenant delete', /^"tenant delete" is no command: --help lists them$/],
      ['migrate now', /^migrate does not take "now"$/],
      ['tenant list --all', /^tenant list: Unknown option '--all'$/],
      ['tenant create', /^tenant create needs --name$/],
      ['tenant create --name', /^tenant create: Option '--name <value>' argument missing$/],
      ['tenant create --name A --name B', /^--name is given more than once$/],
      ['tenant create --name A --slug A', /^--slug: Must be /],
      ['key revoke', /^key revoke needs ID$/],
      ['key revoke one two', /^key revoke does not take "two"$/],
    ];
    for (const [line, text] of misunderstood) {
      it(`"${line}" is one clear line and exit 2`, async () => expectComplaint(line, 2, text));
    }

    it('--help lists every command with its options, wherever it stands', async () => {
      const help = await said('--help');
      for (const { name, options } of COMMANDS) {
        expect(help).to.include(`  ${name}`);
        for (const option of Object.keys(options)) expect(help).to.include(`--${option}`);
      }
      expect(await said('key create --help')).to.equal(help);
      expect(await said('help')).to.equal(help);
    });

    it('a wrong variable is named as at the start of the server', async () => {
      const err: string[] = [];
      const silent = { readInput: async () => '', write: () => undefined, complain: (line: string) => err.push(line) };
      expect(await run(['tenant', 'list'], { env: { ...database.env(), JWT_SECRET: 'short' }, ...silent })).to.equal(1);
      expect(err.join()).to.match(/^JWT_SECRET /);
    });
  });
});

onDatabase('sqlite', 'the operator’s tool as it is typed', (database) => {
  const PROGRAM = path.join(ROOT, 'scripts/admin.sh');

  it('works from anywhere, prepares an empty database, and keeps its output clean for scripts', async () => {
    const env = { PATH: process.env.PATH, ...database.env() };
    const { stdout, stderr } = await promisify(execFile)(PROGRAM, ['tenant', 'create', '--name', 'A B', '--json'], {
      env,
      cwd: '/',
    });
    expect(JSON.parse(stdout)).to.include({ slug: 'a-b', name: 'A B' });
    expect(stderr).to.equal('');
  });
});
