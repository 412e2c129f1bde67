import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { firstStart } from '../app/firstStart.ts';
import { setUpLink } from '../app/auth/setUpLink.ts';
import { LoginAnswer } from '../app/api/answers/login.ts';
import { endChildren, startMain } from './support/child.ts';
import { onDatabase, onEachDatabase } from './support/databases.ts';
import type { Answer } from './support/http.ts';
import { startServer, type TestServer } from './support/server.ts';
import { useServerWithoutCast } from './support/useServer.ts';
import { pageOf } from './support/organisationPages.ts';

const OWNER = { OWNER_EMAIL: 'Ann@Acme.example', OWNER_PASSWORD: 'correct horse battery', TENANT_NAME: 'Acme & Söhne' };
const FORM = { name: 'Ann', email: 'ann@acme.example', password: 'correct horse battery', tenantName: 'Acme & Söhne' };
const PAGE = { Accept: 'text/html' };

type Fields = Record<string, string>;

const run = promisify(execFile);

/** The opening tag of this name that holds the attribute. */
function tag(html: string, name: string, attribute: string): string {
  return (
    [...html.matchAll(new RegExp(`<${name}\\s[^>]*>`, 'g'))]
      .map(([text]) => text)
      .find((text) => text.includes(attribute)) ?? ''
  );
}

/** What a browser shows for this source. */
function unescaped(html: string): string {
  const named: Fields = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return html
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&(lt|gt|quot|amp);/g, (_, name: string) => named[name] ?? '');
}

async function forget({ services }: TestServer): Promise<void> {
  for (const table of ['users', 'memberships', 'tenants', 'audit_logs']) await services.db(table).delete();
}

interface Made {
  users: { id: string; email: string; name: string; operator: number }[];
  tenants: { id: string; slug: string; name: string }[];
  memberships: { tenant_id: string; user_id: string; role: string }[];
  audit: { tenant_id: string; action: string; actor_type: string; actor_id: string; ip: string | null }[];
}

/** Everything a set-up makes. */
async function made({ services: { db } }: TestServer): Promise<Made> {
  return {
    users: await db<Made['users'][0]>('users'),
    tenants: await db<Made['tenants'][0]>('tenants'),
    memberships: await db<Made['memberships'][0]>('memberships'),
    audit: await db<Made['audit'][0]>('audit_logs').orderBy('id'),
  };
}

async function expectOneOwner(server: TestServer): Promise<void> {
  const { users, tenants, memberships } = await made(server);
  expect([users.length, tenants.length, memberships.length]).to.deep.equal([1, 1, 1]);
  expect(memberships[0]).to.include({ tenant_id: tenants[0]?.id, user_id: users[0]?.id, role: 'OWNER' });
  expect(Boolean(users[0]?.operator)).to.equal(true);
}

async function login(server: TestServer, password = FORM.password): Promise<Answer> {
  return server.post('/api/auth/login', { email: FORM.email, password });
}

onEachDatabase('the first start', (database) => {
  describe('with an owner in the environment', () => {
    const server = useServerWithoutCast(database, OWNER);
    const other = { OWNER_EMAIL: 'other@acme.example', TENANT_NAME: 'Other' };
    const second = useServerWithoutCast(database, { ...OWNER, ...other });
    beforeEach(async () => forget(server));

    it('makes the operator, who owns the tenant and can log in', async () => {
      await firstStart(server.services);
      await expectOneOwner(server);
      const answer = LoginAnswer.parse((await login(server)).body);
      expect(answer.user).to.include({ email: 'ann@acme.example', name: 'Ann', operator: true });
      expect(answer.tenants).to.have.length(1);
      expect(answer.tenants[0]).to.include({ slug: 'acme-sohne', name: 'Acme & Söhne', role: 'OWNER' });
    });

    it('writes down in the tenant what was made', async () => {
      await firstStart(server.services);
      const { audit, tenants } = await made(server);
      expect(audit.map(({ action }) => action)).to.deep.equal(['TENANT_CREATED', 'USER_CREATED', 'MEMBER_ADDED']);
      for (const row of audit) expect(row).to.include({ tenant_id: tenants[0]?.id, actor_type: 'user', ip: null });
    });

    it('makes nothing more when it starts again', async () => {
      await firstStart(server.services);
      const before = await made(server);
      await firstStart(server.services);
      await firstStart(second.services);
      expect(await made(server)).to.deep.equal(before);
    });

    it('makes one owner between processes that start at once, without a word from the others', async () => {
      await Promise.all([server, server, second, second].map(async ({ services }) => firstStart(services)));
      await expectOneOwner(server);
    });

    it('says nothing of the password', async () => {
      await firstStart(server.services);
      expect(server.log.join('')).to.include('set up the first person');
      expect(server.log.join('')).not.to.include(OWNER.OWNER_PASSWORD);
    });

    const wrong: Record<string, [Fields, RegExp]> = {
      'an email that is none': [{ OWNER_EMAIL: 'ann' }, /^OWNER_EMAIL must be an email address$/],
      'a short password': [{ OWNER_PASSWORD: 'short' }, /^OWNER_PASSWORD must be at least 10 characters long$/],
      'the email for a password': [{ OWNER_PASSWORD: 'ann@acme.example' }, /^OWNER_PASSWORD must not be the email/],
      'a tenant name too long': [{ TENANT_NAME: 'x'.repeat(101) }, /^TENANT_NAME must be at most 100 characters long$/],
    };
    for (const [what, [more, message]] of Object.entries(wrong)) {
      it(`stops at ${what}, naming the variable, and makes nothing`, async () => {
        const third = await startServer(database.env(), { ...OWNER, ...more });
        const error: unknown = await firstStart(third.services).catch((thrown: unknown) => thrown);
        await third.stop();
        expect(error).to.be.an('error').with.property('name', 'ConfigError');
        expect(error).to.have.property('message').that.matches(message);
        expect((await made(server)).users).to.deep.equal([]);
      });
    }
  });

  describe('by the set-up link', () => {
    const server = useServerWithoutCast(database, { PUBLIC_URL: 'https://keys.example' });
    let link: string;
    let token: string;
    before(async () => {
      const { config, secret } = server.services;
      link = setUpLink(config.publicUrl, secret).replace('https://keys.example', '');
      token = new URLSearchParams(link.split('?')[1]).get('token') ?? '';
    });
    beforeEach(async () => forget(server));

    const submit = async (fields: Fields, headers: Fields = {}) =>
      server.send('POST', '/setup', {
        headers: { ...PAGE, 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams(fields).toString(),
      });
    const setUp = async (more: Fields = {}) => submit({ token, ...FORM, ...more });

    function expectGone(answer: Answer, status = 404): void {
      expect(answer.status).to.equal(status);
      expect(answer.headers['content-type']).to.include('text/html');
      expect(answer.text).not.to.include('<form');
    }

    it('is printed at the start for as long as nobody exists, the same by every process', async () => {
      await firstStart(server.services);
      expect(server.log.join('')).to.include(`https://keys.example${link}`);
      const other = await startServer(database.env(), { PUBLIC_URL: 'https://keys.example' });
      await firstStart(other.services);
      expect(other.log.join('')).to.include(`https://keys.example${link}`);
      await setUp();
      const told = other.log.length;
      await firstStart(other.services);
      expect(other.log.length).to.equal(told);
      await other.stop();
    });

    it('does not hold the secret that signs tokens', () => {
      expect(token).to.match(/^[\w-]{43}$/);
      expect(token).not.to.include(server.services.secret);
    });

    it('opens a form that works without scripts and is kept nowhere', async () => {
      const answer = await server.get(link, PAGE);
      expect(answer.status).to.equal(200);
      expect(answer.headers['content-type']).to.include('text/html');
      expect(answer.headers['cache-control']).to.equal('no-store');
      expect(tag(answer.text, 'form', 'action="/setup"')).to.include('method="post"');
      expect(answer.text).not.to.match(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
      for (const name of ['name', 'email', 'password', 'tenantName']) {
        expect(tag(answer.text, 'label', `for="${name}"`)).not.to.equal('');
        expect(tag(answer.text, 'input', `id="${name}"`))
          .to.include(`name="${name}"`)
          .and.include('required');
      }
    });

    it('signs the first person in, who then need not type their password again', async () => {
      const { headers } = await setUp();
      const cookie = headers['set-cookie']?.map((one) => one.split(';')[0]).join('; ') ?? '';
      expect(headers['set-cookie']?.join()).to.include('HttpOnly').and.include('Secure');
      const answer = await server.get(pageOf({ slug: 'acme-sohne' }, '/api-keys/new'), { ...PAGE, Cookie: cookie });
      expect(answer.status).to.equal(200);
      expect(answer.text).to.include('Ann');
    });

    it('makes the first person and their tenant, and says what to do next', async () => {
      const answer = await setUp();
      expect(answer.status).to.equal(200);
      expect(answer.headers['cache-control']).to.equal('no-store');
      expect(answer.text).to.include('https://keys.example/api/auth/login').and.include('/api/v1/api-keys');
      expect(answer.text).not.to.include(FORM.password);
      await expectOneOwner(server);
      expect((await login(server)).status).to.equal(200);
      const { audit, users } = await made(server);
      expect(audit.slice(0, 3)).to.have.length(3);
      for (const row of audit.slice(0, 3)) expect(row).to.include({ actor_id: users[0]?.id, ip: '127.0.0.1' });
    });

    it('names the first key in the language of the page', async () => {
      const { text } = await submit({ token, ...FORM }, { 'Accept-Language': 'fr' });
      expect(unescaped(text)).to.include('"name":"Première clé"').and.include('new?name=Premi%C3%A8re+cl%C3%A9');
    });

    it('shows a command that a shell and a browser both take as text, whatever the email', async () => {
      const { text } = await setUp({ email: "o'neil&co@acme.example" });
      expect(text).not.to.include("o'neil&co");
      const [login = ''] = [...text.matchAll(/<code[^>]*>(curl[^<]*)<\/code>/g)].map(([, code = '']) =>
        unescaped(code),
      );
      const { stdout } = await run('sh', ['-c', `curl() { printf '%s\\n' "$@"; }; ${login}`]);
      const words = stdout.trim().split('\n');
      expect(words).to.include('https://keys.example/api/auth/login');
      expect(JSON.parse(words.at(-1) ?? '')).to.deep.equal({
        email: "o'neil&co@acme.example",
        password: 'YOUR PASSWORD',
      });
    });

    it('works once: afterwards it leads to nothing but sign-in, for pages and forms', async () => {
      await setUp();
      expectGone(await server.get(link, PAGE), 410);
      expectGone(await setUp({ email: 'eve@evil.example' }), 410);
      await expectOneOwner(server);
    });

    it('lets one through of several who send the form at once', async () => {
      const names = ['Ann', 'Bea', 'Cleo', 'Dee'];
      const answers = await Promise.all(
        names.map(async (name) => setUp({ name, email: `${name}@acme.example`, tenantName: `Tenant of ${name}` })),
      );
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 410, 410, 410]);
      await expectOneOwner(server);
      const winner = names[answers.findIndex(({ status }) => status === 200)];
      expect((await made(server)).users[0]).to.include({ name: winner });
    });

    it('lets one through of two who send the same form to two processes', async () => {
      const other = await startServer(database.env());
      const form = new URLSearchParams({ token, ...FORM }).toString();
      const headers = { ...PAGE, 'Content-Type': 'application/x-www-form-urlencoded' };
      const answers = await Promise.all(
        [server, other].map(async (one) => one.send('POST', '/setup', { headers, body: form })),
      );
      await other.stop();
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 410]);
      await expectOneOwner(server);
    });

    it('leads nowhere without its token, or with another', async () => {
      const others = ['', token.slice(1), `${token}x`, token.toUpperCase(), server.services.secret];
      for (const other of others) {
        expectGone(await server.get(`/setup?token=${encodeURIComponent(other)}`, PAGE));
        expectGone(await setUp({ token: other }));
      }
      expectGone(await server.get('/setup', PAGE));
      expect((await made(server)).users).to.deep.equal([]);
    });

    it('opens nothing that another secret made', async () => {
      const foreign = setUpLink('', 'another secret, just as long as this one').slice('/setup?token='.length);
      expectGone(await setUp({ token: foreign }));
    });

    it('shows what is wrong beside each field, keeps what was typed but the password, and makes nothing', async () => {
      const answer = await setUp({ name: '', email: 'ann@', password: 'short-one', tenantName: '<b>Acme</b>' });
      expect(answer.status).to.equal(422);
      expect(answer.text).to.include('role="alert"');
      for (const field of ['name', 'email', 'password']) {
        expect(answer.text).to.include(`href="#${field}"`).and.include(`id="${field}-problem"`);
        const input = tag(answer.text, 'input', `id="${field}"`);
        expect(input)
          .to.include('aria-invalid="true"')
          .and.match(new RegExp(`aria-describedby="[^"]*${field}-problem`));
      }
      expect(answer.text).not.to.include('tenantName-problem');
      expect(answer.text).to.include('value="ann@"').and.include('value="&lt;b&gt;Acme&lt;/b&gt;"');
      expect(answer.text).not.to.include('short-one');
      expect((await made(server)).users).to.deep.equal([]);
    });

    it('refuses the email for a password, and a form without fields', async () => {
      const answer = await setUp({ password: FORM.email });
      expect(answer.status).to.equal(422);
      expect(answer.text).to.include('id="password-problem"').and.not.include('id="email-problem"');
      expect((await submit({ token })).status).to.equal(422);
    });

    it('takes a form and nothing else', async () => {
      const answer = await server.post('/setup', { token, ...FORM }, PAGE);
      expect(answer.status).to.equal(415);
      expect((await made(server)).users).to.deep.equal([]);
    });

    it('leaves neither password nor token in the log of requests', async () => {
      await server.get(link, PAGE);
      await setUp();
      const requests = server.log.filter((line) => line.includes('"route":"/setup"'));
      expect(requests).not.to.deep.equal([]);
      expect(requests.join('')).not.to.include(token);
      expect(server.log.join('')).not.to.include(FORM.password);
    });
  });
});

onDatabase('sqlite', 'the process at its first start', (database) => {
  afterEach(endChildren);

  it('prints a link that opens the set-up page', async () => {
    const child = await startMain({ ...database.env(), JWT_SECRET: undefined });
    await child.says('/setup?token=');
    const path = /\/setup\?token=[\w-]+/.exec(child.stdout)?.[0] ?? '';
    expect((await child.client.get(path, PAGE)).status).to.equal(200);
  });

  it('says where its data is, and how to get an example to look at', async () => {
    const child = await startMain({ ...database.env(), JWT_SECRET: undefined });
    await child.says('"msg":"ready"');
    expect(child.stdout).to.include(`with its data in ${database.env().DATA_DIR}`).and.include('admin -- demo');
  });

  it('ends with one line that names the variable when the owner of the environment cannot be', async () => {
    const child = await startMain({ ...database.env(), ...OWNER, OWNER_PASSWORD: 'short' });
    expect(await child.ended).to.include({ code: 1 });
    expect(child.stderr.trim()).to.match(/^(.*: )?OWNER_PASSWORD must be at least 10 characters long$/);
  });
});
