import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { expect } from 'chai';
import { ROOT } from '../../app/root.ts';
import { Child, endChildren, freePort } from '../support/child.ts';
import { onDatabase } from '../support/databases.ts';
import { Client } from '../support/http.ts';
import { JWT_SECRET } from '../support/server.ts';

const OWNER = { email: 'alice@acme.example', password: 'correct horse battery staple' };
const PROCESSES = new Map(
  readFileSync(path.join(ROOT, 'Procfile'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', command = ''] = line.split(/: (.*)/);
      return [name, command];
    }),
);

onDatabase('mysql', 'the Procfile', (database) => {
  afterEach(endChildren);

  /** Runs one of its lines as a host does: by a shell, the settings in the environment. */
  function start(name: string, env: Record<string, string> = {}): Child {
    const owner = { OWNER_EMAIL: OWNER.email, OWNER_PASSWORD: OWNER.password, TENANT_NAME: 'Acme' };
    const settings = { ...database.env(), ...owner, JWT_SECRET, DYNO: `${name}.1`, ...env };
    return new Child('sh', ['-c', PROCESSES.get(name) ?? ''], settings);
  }

  it('has a release that migrates, and may be run again', async () => {
    expect([...PROCESSES.keys()]).to.deep.equal(['release', 'web']);
    for (const said of [/^create tenants\n[^]*\nTook \d+ steps\.\n$/, /^The schema is up to date\.\n$/]) {
      const release = start('release');
      expect(await release.ended, release.stderr).to.deep.equal({ code: 0, signal: null });
      expect(release.stdout).to.match(said);
      expect(release.stderr).to.equal('');
    }
  });

  it('has a web process that serves on PORT, and finishes what has begun when it is told to end', async () => {
    const port = await freePort();
    const web = start('web', { PORT: String(port) });
    await web.says('"msg":"ready"');
    const client = new Client(`http://127.0.0.1:${port}`);
    expect((await client.get('/api/health')).body).to.deep.equal({
      status: 'ok',
      database: 'ok',
      migrations: 'current',
      journal: 'ok',
      owner: 'ready',
    });
    client.close();

    const login = request({
      port,
      // Nothing is left open behind the answer.
      agent: false,
      path: '/api/auth/login',
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Expect: '100-continue' },
    });
    login.flushHeaders();
    await once(login, 'continue');
    // Some hosts tell every process, some the first one alone, which is the shell.
    web.kill('SIGTERM');
    await web.says('"msg":"stopping"');
    expect((await client.get('/api/health')).status).to.equal(503);
    client.close();
    login.end(JSON.stringify(OWNER));
    const [answer] = (await once(login, 'response')) as [IncomingMessage];
    expect(answer.statusCode).to.equal(200);
    expect(await json(answer)).to.deep.include({ tokenType: 'Bearer' });

    expect(await web.ended).to.deep.equal({ code: 0, signal: null });
    expect(web.stdout).to.include('"msg":"stopped"');
    expect(web.stderr).to.equal('');
  });
});
