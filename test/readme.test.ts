import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../app/root.ts';

interface Package {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const { scripts, dependencies, devDependencies } = JSON.parse(
  readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
) as Package;

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
  it('gives a reason for each dependency and for nothing else', () => {
    expect(listed(below('At run time:'))).to.have.members(Object.keys(dependencies));
    expect(listed(below('To develop:'))).to.have.members(Object.keys(devDependencies));
    const reasons = [below('At run time:'), below('To develop:')].flatMap((text) => text.split(/\n- /).slice(1));
    for (const reason of reasons) expect(reason).to.match(/^`[^:]*: \S/);
  });

  it('names only commands that there are', () => {
    const named = [...readme.matchAll(/npm (?:run (?:-s )?)?([a-z]+)/g)].map(([, name]) => name ?? '');
    const own = ['ci', 'prune', 'on', 'start', 'test'];
    expect(named.filter((name) => !own.includes(name) && !(name in scripts))).to.deep.equal([]);
    expect(scripts).to.include.keys('start', 'test', 'build', 'admin');
  });

  it('names only files that there are', () => {
    const named = [...readme.matchAll(/(?:^|`)((?:app|db|scripts|test|\.ci|\.env)[\w./]*)/gm)].map(
      ([, name]) => name ?? '',
    );
    expect(named).to.include.members(['app/main.ts', 'db/', '.env.example', '.ci/run']);
    expect(named.filter((name) => !existsSync(path.join(ROOT, name)))).to.deep.equal([]);
  });
});
