import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { PROBLEMS } from '../app/errors.ts';
import { ROOT } from '../app/root.ts';
import { COMMANDS } from '../scripts/admin/commands.ts';

interface Package {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const { scripts, dependencies, devDependencies } = JSON.parse(
  readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
) as Package;

/** What the operator's tool answers to. */
const tools = ['help', ...COMMANDS.map(({ name }) => name)];

/** The text below a line, up to a line that begins the next part. */
function below(line: string): string {
  const [, text = ''] = readme.split(`\n${line}\n`);
  return text.split(/\n(?:#|To develop:)/)[0] ?? '';
}

/** The names in front of each item's colon. */
function listed(text: string): string[] {
  const items = text.split(/\n- /).slice(1);
  return items.flatMap((item) => [...(item.split(': ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
}

describe('README.md', () => {
  it('begins with the command that serves and the one that tests', () => {
    const blocks = [...readme.matchAll(/^```sh\n(.*?)\n```$/gms)].map(([, block]) => block);
    expect(blocks.slice(0, 2)).to.deep.equal(['npm ci && npm start', 'npm test']);
  });

  it('gives a reason for each dependency and for nothing else', () => {
    expect(listed(below('At run time:'))).to.have.members(Object.keys(dependencies));
    expect(listed(below('To develop:'))).to.have.members(Object.keys(devDependencies));
    const reasons = [below('At run time:'), below('To develop:')].flatMap((text) => text.split(/\n- /).slice(1));
    for (const reason of reasons) expect(reason).to.match(/^`[^:]*: \S/);
  });

  it('names only commands that there are', () => {
    const named = [...readme.matchAll(/npm (?:run (?:-s )?)?([a-z]+)/g)].map(([, name]) => name ?? '');
    const asked = [...readme.matchAll(/npm run -s admin -- ([a-z]+(?: [a-z][a-z-]*)?)/g)].map(([, name]) => name ?? '');
    expect(asked).to.include('demo');
    expect(asked.filter((name) => !tools.includes(name))).to.deep.equal([]);
    const own = ['ci', 'prune', 'on', 'start', 'test'];
    expect(named.filter((name) => !own.includes(name) && !(name in scripts))).to.deep.equal([]);
    expect(scripts).to.include.keys('start', 'test', 'build', 'admin');
  });

  it('names only files that there are', () => {
    const named = [...readme.matchAll(/(?:^|`)((?:app|db|docs|scripts|test|\.ci|\.env)[\w./]*)/gm)].map(
      ([, name]) => name ?? '',
    );
    expect(named).to.include.members(['app/main.ts', 'db/', '.env.example', '.ci/run']);
    expect(named.filter((name) => !existsSync(path.join(ROOT, name)))).to.deep.equal([]);
  });

  it('links only to files that there are, and tells each picture in words', () => {
    const links = [...readme.matchAll(/(!?)\[([^\]]*)\]\(([^)#][^)]*)\)/g)];
    const pictures = links.filter(([, mark]) => mark === '!');
    expect(pictures.map(([, , , file]) => file)).to.have.members(
      ['keys', 'key', 'new-key', 'audit'].map((name) => `docs/${name}.png`),
    );
    for (const [, , words] of pictures) expect(words).to.have.length.above(40);
    expect(links.filter(([, , , file]) => !existsSync(path.join(ROOT, file ?? '')))).to.deep.equal([]);
  });

  it('names a source for each claim about others, and no source that nothing leans on', () => {
    const leaned = [...readme.matchAll(/\]\[([a-z-]+)\]/g)].map(([, label]) => label);
    const sources = [...readme.matchAll(/^\[([a-z-]+)\]: https:\/\/\S+$/gm)].map(([, label]) => label);
    expect(sources).to.have.length.above(20);
    expect([...new Set(leaned)]).to.have.members(sources);
  });

  it('tells a caller codes that there are, beside their status', () => {
    const rows = [...readme.matchAll(/^\| (\d{3}) +\| ([^|]+)\|/gm)];
    const told = rows.flatMap(([, status, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, code = '']) => ({ code, status: Number(status) })),
    );
    expect(told.map(({ status }) => status)).to.include.members([400, 401, 403, 429, 503]);
    const known: Record<string, readonly [number, string]> = PROBLEMS;
    expect(told.filter(({ code, status }) => known[code]?.[0] !== status)).to.deep.equal([]);
  });

  it('names the steps of the proof as scripts/smoke.sh runs them, and what step 7 asks', () => {
    const smoke = readFileSync(path.join(ROOT, 'scripts/smoke.sh'), 'utf8');
    const run = [...smoke.matchAll(/^ {2}step (\d) '(.*)'$/gm)].map(([, number, title]) => `${number}. ${title}`);
    const proof = readme.split('- **Proof.**')[1] ?? '';
    const steps = [...proof.matchAll(/^ {2}(\d\. .*): `(.*)`\.$/gm)].map(([, step, request]) => ({ step, request }));
    expect(steps.map(({ step }) => step)).to.deep.equal(run);
    expect(steps[6]?.request).to.equal('GET /api/api-keys?includeRevoked=true');
  });
});
