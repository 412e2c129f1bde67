import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { as, PASSWORD } from '../support/cast.ts';
import { Child, endChildren, freePort } from '../support/child.ts';
import { onDatabase, onEachDatabase } from '../support/databases.ts';
import type { Key } from '../support/keys.ts';
import { tamperWith, type Tamper } from '../support/tampering.ts';
import { useServer } from '../support/useServer.ts';

const WHOLE_KEY = /fsk_live_\w{32}/;
const TOKEN = /eyJ\w+\.\w+/;

interface Run {
  code: number | null;
  lines: string[];
  error: string;
}

/** For the files of the script, and for programs that stand in for real ones. */
let folder: string, bin: string;

/** Runs the script with these settings, and expects that it leaves no file and no secret behind. */
async function smoke(env: Record<string, string>, args: string[] = []): Promise<Run> {
  return ended(startSmoke(env, args));
}

/** Puts a program of this name in front of the real one, which its own lines can call; gives the path to find it by. */
async function standIn(name: string, lines: string): Promise<string> {
  const PATH = process.env.PATH ?? '';
  await writeFile(path.join(bin, name), `#!/bin/sh\nPATH='${PATH}'\n${lines}\n`, { mode: 0o755 });
  return `${bin}:${PATH}`;
}

function startSmoke(env: Record<string, string>, args: string[] = []): Child {
  return new Child('scripts/smoke.sh', args, { TMPDIR: folder, ...env });
}

async function ended(child: Child): Promise<Run> {
  const { code } = await child.ended;
  expect(child.stdout + child.stderr)
    .not.to.match(WHOLE_KEY)
    .and.not.to.match(TOKEN)
    .and.not.to.include(PASSWORD);
  expect(await readdir(folder)).to.deep.equal([]);
  return { code, lines: child.stdout.trim().split('\n'), error: child.stderr };
}

/** What a run that found nothing wrong looks like from outside. */
function expectProof({ code, lines, error }: Run): void {
  expect(error).to.equal('');
  expect(code, lines.join('\n')).to.equal(0);
  const checks = lines.slice(1, -1);
  for (const line of checks) expect(line).to.match(/^ok {4}[1-9] {2}\S/);
  expect([...new Set(checks.map((line) => line[6]))].join('')).to.equal('123456789');
  expect(lines.at(-1)).to.equal(`All nine steps hold: ${checks.length} checks.`);
}

async function refuses(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = dial(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

const addressIn = (text: string) => /^Latchkey at (\S+),/.exec(text)?.[1] ?? '';

describe('scripts/smoke.sh', function () {
  this.timeout(60_000);
  beforeEach(async () => {
    [folder, bin] = await Promise.all([
      mkdtemp(path.join(tmpdir(), 'latchkey-smoke-')),
      mkdtemp(path.join(tmpdir(), 'latchkey-bin-')),
    ]);
  });
  afterEach(async () => {
    await endChildren();
    for (const made of [folder, bin]) await rm(made, { recursive: true, force: true });
  });

  onEachDatabase('against a server that runs', (database) => {
    const { server, alice } = useServer(database);

    async function keys(): Promise<Key[]> {
      const { body } = await server.get('/api/api-keys?includeRevoked=true&limit=100', as(alice));
      return (body as { data: Key[] }).data;
    }

    it('proves the nine steps with a token, and every key it made is revoked', async () => {
      expectProof(await smoke({ BASE_URL: server.url, OWNER_TOKEN: alice.token, TENANT_ID: 'acme' }));
      const made = await keys();
      expect(made.map(({ name }) => name.replace(/ \w{8}$/, ''))).to.deep.equal(Array(3).fill('Smoke test'));
      expect(new Set(made.map(({ status }) => status))).to.deep.equal(new Set(['revoked']));
      expect((await server.get('/api/billing', as(alice))).body).to.deep.include({ pendingCheckout: null });
    });
  });

  onDatabase('sqlite', 'against a server that runs', (database) => {
    const { server, alice, bob } = useServer(database);
    const owner = () => ({ BASE_URL: server.url, OWNER_TOKEN: alice.token });

    it('signs in by itself, by the name of this machine, whatever proxy and curl settings there are', async () => {
      const BASE_URL = `${server.url.replace('127.0.0.1', 'localhost')}/`;
      const http_proxy = `http://127.0.0.1:${await freePort()}`;
      expectProof(await smoke({ BASE_URL, OWNER_EMAIL: alice.email, OWNER_PASSWORD: PASSWORD, http_proxy }));
    });

    it('revokes what it made when it is broken off', async () => {
      const child = startSmoke(owner());
      await child.says('ok    5');
      process.kill(-child.pid, 'SIGINT');
      expect((await ended(child)).code).to.equal(130);
      const { body } = await server.get('/api/api-keys', as(alice));
      expect(body).to.include({ total: 0 });
    });

    for (const [signal, code] of [
      ['INT', 130],
      ['TERM', 143],
    ] as const) {
      it(`ends with ${code} after SIG${signal}, its keys revoked, though the signal comes again while they are`, async () => {
        // Once the script waits, to its whole group as a terminal does, and again while the keys are revoked.
        const PATH = await standIn('sleep', `trap '' ${signal}\nsleep 0.2\nkill -${signal} 0\nsleep 0.2`);
        // The script sleeps before it asks again for what is not there yet.
        const proxy = await tamperWith(server.url, (answer) => {
          if (answer.url.includes('includeRevoked')) answer.body = answer.body.replaceAll('"lastUsedAt":"', '"at":"');
        });
        const run = await smoke({ ...owner(), BASE_URL: proxy.url, PATH });
        proxy.stop();
        expect(run).to.include({ code, error: '' });
        expect(run.lines.at(-1)).to.match(/^ok {4}6 /);
        expect((await server.get('/api/api-keys', as(alice))).body).to.include({ total: 0 });
      });
    }

    const saying =
      (from: string, to: string): Tamper =>
      (answer) => {
        answer.body = answer.body.replace(from, to);
      };
    const turning =
      (at: RegExp, status: number): Tamper =>
      (answer) => {
        if (at.test(`${answer.method} ${answer.url} ${answer.count} ${answer.status}`)) answer.status = status;
      };
    const lies: [title: string, step: number, line: RegExp, tamper: Tamper][] = [
      ['keeps back scopes', 1, /its scopes: expected read,builder:write, came read$/, saying(',"builder:write"', '')],
      ['refuses a good key', 2, /x-api-key: expected 200, came 503$/, turning(/audit-logs\?limit=1 1 /, 503)],
      ['lets a key order a plan', 3, /expected 403 \w+, came 201 /, turning(/checkout/, 201)],
      [
        'names no scope',
        3,
        /names the scope: expected .*, came Forbidden$/,
        saying('Missing required scope: billing:write', 'Forbidden'),
      ],
      ['refuses tokens', 4, /Bearer: expected 200, came 401$/, turning(/audit-logs\?limit=1 4 /, 401)],
      [
        'lets a rotated key in',
        5,
        /with the old key: expected 401 key_revoked, came 200 /,
        turning(/audit-logs\?limit=1 5 /, 200),
      ],
      [
        'lets a revoked key in',
        6,
        /with the new key: expected 401 key_revoked, came 200 /,
        turning(/audit-logs\?limit=1 7 /, 200),
      ],
      [
        'forgets the last use',
        7,
        /its lastUsedIp: expected an address, came null$/,
        saying('"lastUsedIp":"127.0.0.1"', '"lastUsedIp":null'),
      ],
      ['never says stop', 8, /number 31: expected 429 rate_limited, came 200 /, turning(/whoami/, 200)],
      [
        'does not say until when',
        8,
        /its Retry-After: expected .*, came nothing$/,
        ({ headers }) => delete headers['retry-after'],
      ],
      [
        'forgets a rotation',
        9,
        /it has API_KEY_ROTATED: expected yes, came no$/,
        saying('API_KEY_ROTATED', 'API_KEY_UPDATED'),
      ],
    ];
    for (const [title, step, line, tamper] of lies) {
      it(`stops at step ${step} where a server ${title}`, async () => {
        const proxy = await tamperWith(server.url, tamper);
        const { code, lines, error } = await smoke({ ...owner(), BASE_URL: proxy.url });
        proxy.stop();
        expect({ code, error }).to.deep.equal({ code: 1, error: '' });
        expect(lines.at(-2))
          .to.match(new RegExp(`^FAIL {2}${step} {2}`))
          .and.to.match(line);
        expect(lines.at(-1)).to.match(/^ {9}the last answer was \d{3} \S/);
        expect(lines.filter((each) => each.startsWith('FAIL'))).to.have.length(1);
        expect((await server.get('/api/api-keys', as(alice))).body).to.include({ total: 0 });
      });
    }

    it('says which keys are left where the server goes away before they are revoked', async () => {
      const proxy = await tamperWith(server.url, ({ url }) => {
        if (url.endsWith('/checkout')) proxy.stop();
      });
      const { code, error } = await smoke({ ...owner(), BASE_URL: proxy.url });
      const { body } = await server.get('/api/api-keys', as(alice));
      const [left] = (body as { data: Key[] }).data;
      expect(error).to.match(
        new RegExp(`^smoke.sh: no answer from .*\nsmoke.sh: the keys named "${left?.name}" could not `),
      );
      expect(code).to.equal(2);
      await server.delete(`/api/api-keys/${left?.id}`, as(alice));
    });

    const unable: [title: string, env: () => Record<string, string>, line: RegExp][] = [
      ['a wrong token', () => ({ OWNER_TOKEN: 'nonsense' }), /^OWNER_TOKEN is refused: 401 invalid_token$/],
      [
        'a wrong password',
        () => ({ OWNER_EMAIL: 'a@b.example', OWNER_PASSWORD: 'no' }),
        /are refused: 401 invalid_login$/,
      ],
      ['an email alone', () => ({ OWNER_EMAIL: 'a@b.example' }), /go together: set both$/],
      ['a token of a member', () => ({ OWNER_TOKEN: bob.token }), /may not manage keys: it takes an owner$/],
      [
        'a tenant of others',
        () => ({ ...owner(), TENANT_ID: 'globex' }),
        /^TENANT_ID globex is no tenant of the owner$/,
      ],
      ['no credentials', () => ({}), /^OWNER_TOKEN, or OWNER_EMAIL and OWNER_PASSWORD, must be set too/],
      [
        'another program there',
        () => ({ ...owner(), BASE_URL: `${server.url}/docs` }),
        /is not Latchkey: 404 for GET \/api\/health$/,
      ],
      [
        'an address that is none',
        () => ({ ...owner(), BASE_URL: 'localhost:5000' }),
        /^BASE_URL must be an address such as /,
      ],
    ];
    for (const [title, env, line] of unable) {
      it(`says in one line that there is ${title}`, async () => {
        const { code, error } = await smoke({ BASE_URL: server.url, ...env() });
        expect(error).to.match(/^smoke\.sh: [^\n]+\n$/);
        expect(error.slice('smoke.sh: '.length, -1)).to.match(line);
        expect(code).to.equal(2);
      });
    }

    it('says in one line that there is no server', async () => {
      const BASE_URL = `http://127.0.0.1:${await freePort()}`;
      const { code, error } = await smoke({ BASE_URL, OWNER_TOKEN: 'nonsense' });
      expect(error).to.match(/^smoke\.sh: no answer from http:\S+: .*connect.*\n$/i);
      expect(code).to.equal(2);
    });
  });

  describe('with a server of its own', () => {
    it('proves the nine steps, and takes the server away, whatever the settings of another one are', async () => {
      const run = await smoke({ PORT: 'none', KEY_PREFIX: '!', DYNO: 'web.1', TENANT_NAME: 'Acme' });
      expectProof(run);
      expect(await refuses(addressIn(run.lines[0] ?? ''))).to.equal(true);
    });

    it('takes the server away when it is broken off', async () => {
      const child = startSmoke({});
      await child.says('ok    2');
      process.kill(-child.pid, 'SIGINT');
      expect((await ended(child)).code).to.equal(130);
      expect(await refuses(addressIn(child.stdout))).to.equal(true);
    });

    it('is broken off by SIGINT though the command it waits for ignores that and ends with 0', async () => {
      // Bash has the whole answer of the command and waits for its end when the signal comes.
      const PATH = await standIn(
        'mktemp',
        `trap '' INT\nmktemp "$@"\nexec >&- 2>&-\nsleep 0.2\nkill -INT 0\nsleep 0.2`,
      );
      expect(await smoke({ PATH })).to.deep.equal({ code: 130, lines: [''], error: '' });
    });

    it('says in one line that the database it is to use does not answer', async () => {
      const { code, error } = await smoke({ DATABASE_URL: `mysql://root:canary@127.0.0.1:${await freePort()}/x` });
      expect(error).to.equal('smoke.sh: DATABASE_URL cannot be used: ECONNREFUSED\n');
      expect(code).to.equal(2);
    });

    it('says how it is used', async () => {
      const { code, lines } = await smoke({}, ['--help']);
      expect(code).to.equal(0);
      expect(lines[0]).to.equal('Usage: scripts/smoke.sh [--transcript FILE]');
      const wrong = await smoke({}, ['--fast']);
      expect(wrong).to.include({ code: 2, error: 'smoke.sh: "--fast" is not understood: see --help\n' });
    });
  });
});
