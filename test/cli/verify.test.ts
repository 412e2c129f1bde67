import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { createConnection } from 'mysql2/promise';
import { ROOT } from '../../app/root.ts';
import { isApiPath } from '../../app/http/apiPaths.ts';
import { createRoutes } from '../../app/routes.ts';
import { as } from '../support/cast.ts';
import { Child, endChildren } from '../support/child.ts';
import { onDatabase } from '../support/databases.ts';
import { tamperWith } from '../support/tampering.ts';
import { useServer } from '../support/useServer.ts';

interface Run {
  code: number | null;
  said: string;
  report: string;
}

let folder: string;

/** Runs the script with its report out of the way, and expects that it leaves nothing else behind. */
async function verify(
  env: Record<string, string>,
  args: string[] = [],
  started: (child: Child) => void = () => undefined,
): Promise<Run> {
  const temporary = await mkdtemp(path.join(folder, 'tmp-'));
  const file = path.join(folder, 'reports', 'proof.md');
  // From Node 24 on npm keeps its own compiled code in the folder for temporary files.
  const own = { TMPDIR: temporary, NODE_DISABLE_COMPILE_CACHE: '1' };
  const child = new Child('scripts/verify.sh', ['--report', file, ...args], { ...own, ...env });
  started(child);
  const { code } = await child.ended;
  expect(await readdir(temporary)).to.deep.equal([]);
  const report = await readFile(file, 'utf8');
  expectDiscreet(report, temporary);
  return { code, said: child.stdout + child.stderr, report };
}

/** What may stand in a public place: nothing that opens a door, and nothing of the machine. */
function expectDiscreet(report: string, temporary: string): void {
  expect(report)
    .not.to.match(/fsk_live_\w{32}/)
    .and.not.to.match(/eyJ\w+\.\w+/);
  for (const name of [ROOT, temporary]) expect(report).not.to.include(name);
}

/** Takes out what is bound to differ between two runs: ids, times, and the random part of keys. */
function withoutIdsAndTimes(report: string): string {
  return report
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'ID')
    .replace(/Smoke( test|%20test%20)? ?[0-9a-f]{8}/g, 'NAME')
    .replace(/fsk_live_\w{8}/g, 'PREFIX')
    .replace(/(…|"lastFour":")\w{4}/g, '$1LAST')
    .replace(/"nextCursor":"[^"]+"/g, 'CURSOR')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/^Date: .*$/gm, 'DATE')
    .replace(/^ETag: .*$/gm, 'ETAG')
    .replace(/(X-RateLimit-Reset|Retry-After): \d+$/gm, '$1: TIME')
    .replace(/;t=\d+/g, ';t=TIME');
}

/** A program of this name in front of the real one. */
async function stub(name: string, script: string): Promise<Record<string, string>> {
  const bin = path.join(folder, 'bin');
  await mkdir(bin);
  await writeFile(path.join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(path.join(bin, name), 0o755);
  return { PATH: `${bin}:${process.env.PATH ?? ''}` };
}

describe('scripts/verify.sh', function () {
  this.timeout(60_000);
  beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'latchkey-verify-'))));
  afterEach(async () => {
    await endChildren();
    await rm(folder, { recursive: true, force: true });
  });

  it('writes the same report twice but for ids and times, and says what it left out', async () => {
    const first = await verify({}, ['--smoke-only']);
    expect(first.code, first.said).to.equal(0);
    expect(first.report)
      .to.include('\n**Everything holds.**\n')
      .and.to.include('| lint, types, tests | not run: --smoke-only |');
    expect(first.report).to.match(/^\| smoke test \| All nine steps hold: \d+ checks\. \|$/m);
    expect(first.report).to.match(/^\| database \| SQLite 3\.[\d.]+ \|$/m);
    expect(first.report).to.include(`| Node.js | ${process.version} |`);
    for (const step of [1, 2, 3, 4, 5, 6, 7, 8, 9])
      expect(first.report).to.match(new RegExp(`^### ${step}\\. \\S`, 'm'));
    expect(first.report).to.match(/^ok {4}7 {2}GET \/api\/api-keys\?includeRevoked=true: 200$/m);
    expect(first.report).to.match(
      /\n## Changed files\n\n```text\n\$ git diff --stat \S+ HEAD\n [^]+? \d+ files? changed, [^]+?```\n/,
    );
    expect(first.report).to.match(/\n## git status\n\n```text\n\$ git status --short -- \. :!reports\n[^]+?```\n/);
    const last = /\n## The last 50 lines of scripts\/verify\.sh\n\n```text\n([^]+?)\n```\n/.exec(first.report)?.[1];
    expect(last?.split('\n').slice(-2)).to.deep.equal([
      `All nine steps hold: ${last?.match(/^ok /gm)?.length} checks.`,
      'Everything holds.',
    ]);
    const second = await verify({}, ['--smoke-only']);
    expect(second.report).not.to.equal(first.report);
    expect(withoutIdsAndTimes(second.report)).to.equal(withoutIdsAndTimes(first.report));
  });

  onDatabase('sqlite', 'against a server that runs', (database) => {
    const { server, alice } = useServer(database);
    const owner = () => ({ BASE_URL: server.url, OWNER_TOKEN: alice.token });
    const NPM = `case "$*" in --version) echo 1.2.3 ;; *) echo "npm $*"; case "$*" in`;

    it('runs lint, types and tests after the smoke test, and lists every route as the server states it', async () => {
      const env = await stub('npm', `${NPM} *test) echo '12 passed, 0 failed' ;; esac ;; esac`);
      const { code, said, report } = await verify({ ...owner(), ...env });
      expect(code, said).to.equal(0);
      expect(said).to.match(
        /== smoke test\n[^]+== lint\nnpm run --silent lint\n== types\nnpm run --silent typecheck\n== tests\n/,
      );
      expect(report).to.match(
        /^\| smoke test \| All .*\n\| lint \| nothing found \|\n\| types \| nothing found \|\n\| tests \| 12 passed, 0 failed \|$/m,
      );
      expect(report)
        .to.include('| server | a server that was running |')
        .and.not.to.match(/^\| database /m);
      const rows = [...report.matchAll(/^\| ([A-Z]+) \| `(\S+)` \| (.*) \| (.*) \|$/gm)].map(([, ...row]) => row);
      const { table } = createRoutes(server.services);
      const routes = table.filter((route) => isApiPath(route.path));
      expect(rows.map(([method, at]) => `${method} ${at}`)).to.have.members(
        routes.map((route) => `${route.method} ${route.path}`),
      );
      expect(rows).to.deep.include.members([
        ['GET', '/api/health', 'nothing', 'nothing'],
        ['GET', '/api/audit-logs', '`read`', '`audit:read`'],
        ['POST', '/api/billing/checkout', '`billing:write`', 'a role that stands for it'],
        ['POST', '/api/api-keys', '`api-keys:write`', '`api-keys:manage`'],
        ['POST', '/api/billing/checkouts/:id/confirm', 'not for keys', '`billing:manage`'],
      ]);
    });

    it('takes the outcome of tests that ran before, and runs none', async () => {
      const env = await stub('npm', `${NPM} *test) exit 1 ;; esac ;; esac`);
      const output = path.join(folder, 'tests');
      await writeFile(output, 'a test\n12 passed, 0 failed\n');
      const { code, said, report } = await verify({ ...owner(), ...env }, ['--tests', output]);
      expect(code, said).to.equal(0);
      expect(report).to.include('\n| tests | 12 passed, 0 failed, in a run before this one |\n');
      expect(said).not.to.include('npm run --silent test');
      await writeFile(output, 'a test\n11 passed, 1 failed\n');
      expect(await verify({ ...owner(), ...env }, ['--tests', output])).to.include({ code: 1 });
    });

    it('writes the table of routes before the tests, which compare it with the app', async () => {
      const written = path.join(folder, 'reports', 'proof.md');
      const env = await stub(
        'npm',
        `${NPM} *test) grep -c '^| GET ' ${written}; echo '1 passed, 0 failed' ;; esac ;; esac`,
      );
      const { code, said } = await verify({ ...owner(), ...env });
      expect(code, said).to.equal(0);
      expect(Number(/npm run --silent test\n(\d+)/.exec(said)?.[1])).to.be.greaterThan(30);
    });

    it('stops at the first part that fails, and the report says which and why', async () => {
      const env = await stub('npm', `${NPM} *lint) echo '${ROOT}/app/app.ts: too long'; exit 1 ;; esac ;; esac`);
      const { code, said, report } = await verify({ ...owner(), ...env });
      expect(code).to.equal(1);
      expect(said).not.to.include('== types');
      expect(report).to.include('\n**FAILED** at the lint').and.to.include('| lint | FAILED |');
      expect(report).to.match(/```text\nnpm run --silent lint\n\.\/app\/app\.ts: too long\n```/);
      expect(report).not.to.include('Everything holds');
    });

    it('fails with the smoke test, and shows the answers up to the one that was wrong', async () => {
      const proxy = await tamperWith(server.url, (answer) => {
        if (answer.url.endsWith('/checkout')) answer.status = 201;
      });
      const { code, report } = await verify({ ...owner(), BASE_URL: proxy.url }, ['--smoke-only']);
      proxy.stop();
      expect(code).to.equal(1);
      expect(report).to.include('\n**FAILED** at the smoke test').and.to.include('| smoke test | FAILED |');
      expect(report).to.match(/^FAIL {2}3 {2}POST \/api\/billing\/checkout: expected 403 \S+, came 201 /m);
      expect(report).to.include('### 3. ').and.not.to.include('### 4. ');
    });

    it('ends with 130 when it is broken off, its keys revoked, and the report says so', async () => {
      let script: Child | undefined;
      const proxy = await tamperWith(server.url, ({ url }) => {
        if (url.endsWith('/rotate') && script) process.kill(-script.pid, 'SIGINT');
      });
      const { code, said, report } = await verify({ ...owner(), BASE_URL: proxy.url }, ['--smoke-only'], (child) => {
        script = child;
      });
      proxy.stop();
      expect(code, said).to.equal(130);
      expect(said).to.include('\nok    5  ');
      expect(said).to.match(/\nThe run was broken off\.\nThe report is in \S+\n$/);
      expect(report).to.include('\nThe run was broken off.\n').and.to.include('### 5. ').and.not.to.include('FAILED');
      const { body } = await server.get('/api/api-keys', as(alice));
      expect(body).to.include({ total: 0 });
    });
  });

  onDatabase('mysql', 'with DATABASE_URL', (database) => {
    it('works in a schema of its own, drops it, leaves the one that is named as it was, and says what server it is', async () => {
      const { DATABASE_URL = '' } = database.env();
      const { code, said, report } = await verify({ DATABASE_URL }, ['--smoke-only']);
      expect(code, said).to.equal(0);
      expect(report).to.match(/^\| database \| (MariaDB|MySQL) \d+\.[\d.]+ \|$/m);
      const connection = await createConnection({ uri: DATABASE_URL });
      expect((await connection.query('SHOW TABLES'))[0]).to.deep.equal([]);
      expect((await connection.query("SHOW DATABASES LIKE 'latchkey\\_proof\\_%'"))[0]).to.deep.equal([]);
      await connection.end();
    });
  });
});
