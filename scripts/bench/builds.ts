import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../app/root.ts';

/** A Latchkey as it is built, the Node that runs it, and what that is given. */
export interface Build {
  name: string;
  root: string;
  /** The program. */
  node: string;
  options: readonly string[];
}

const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
const npm = (args: string[], cwd: string) =>
  execFileSync('npm', args, { cwd, stdio: ['ignore', process.stderr, process.stderr] });

/** What stands here, as the Procfile starts it. */
export function ownBuild(): Build {
  return { name: 'Latchkey', root: ROOT, node: process.execPath, options: productionOptions(ROOT) };
}

/** What stands here, with other options of Node. */
export function ownBuildWith(options: string): Build {
  return { ...ownBuild(), name: `Latchkey with ${options}`, options: options.split(' ') };
}

/** What stands here, run by another release of Node, which npm keeps in its cache. */
export function ownBuildOnNode(release: string): Build {
  const args = ['--yes', '--package', `node@${release}`, '--', 'node', '-p', 'process.execPath'];
  const node = execFileSync('npx', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  return { ...ownBuild(), name: `Latchkey on Node ${version}`, node };
}

/** Compiles what stands here. */
export function compile(root = ROOT): void {
  npm(['run', '--silent', 'build'], root);
}

/** Builds a commit in a folder below `folder`, which is taken back out of git when the bench ends. */
export function buildOf(commit: string, folder: string): Build {
  const id = git('rev-parse', '--short', `${commit}^{commit}`);
  const root = path.join(folder, id);
  git('worktree', 'add', '--quiet', '--detach', root, id);
  process.once('exit', () => {
    rmSync(root, { recursive: true, force: true });
    git('worktree', 'prune');
  });
  if (packagesOf(root) === packagesOf(ROOT)) {
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'));
  } else npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], root);
  compile(root);
  return { name: `Latchkey of ${id}`, root, node: process.execPath, options: productionOptions(root) };
}

/** What the Procfile gives Node. */
function productionOptions(root: string): string[] {
  const procfile = readFileSync(path.join(root, 'Procfile'), 'utf8');
  return /^web: exec node (.*) dist/m.exec(procfile)?.[1]?.split(' ') ?? [];
}

/** The packages that run in production, with their versions, as one text. */
function packagesOf(root: string): string {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string; dev?: true }>;
  };
  const production = Object.entries(lock.packages).filter(([name, { dev }]) => name !== '' && !dev);
  return production.map(([name, { version }]) => `${name} ${version ?? ''}`).join('\n');
}
