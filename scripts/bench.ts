import { execFileSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../app/root.ts';
import { adminPart } from './bench/adminPart.ts';
import { machine } from './bench/children.ts';
import { latchkeyStores, type Bench, type Plan } from './bench/context.ts';
import { keysPart } from './bench/keysPart.ts';
import { startGenerator } from './bench/load.ts';
import { memoryPart } from './bench/memoryPart.ts';
import { revokePart } from './bench/revokePart.ts';
import { Stores } from './bench/stores.ts';

const USAGE = `npm run bench -- [part …] [--quick] [--json]

Parts (the first two unless named):
  keys           what a check of a key costs, beside bare Koa, Better Auth and one query for each request
  revoke         what a revoke costs while 64 connections are served
  admin          lists of a large tenant on MariaDB
  admin-sqlite   the same on SQLite
  memory         two million requests from 100,000 addresses

--quick          less data and shorter runs: to see that it works
--json           the figures of every run, as JSON on standard output`;

const PARTS: Record<string, (bench: Bench) => Promise<unknown>> = {
  keys: keysPart,
  revoke: revokePart,
  admin: async (bench) => adminPart(bench, 'MariaDB'),
  'admin-sqlite': async (bench) => adminPart(bench, 'SQLite'),
  memory: memoryPart,
};
const USUAL = ['keys', 'revoke'];

const FULL: Plan = {
  sizes: [1_000, 1_000_000],
  tenantKeys: 100_000,
  history: 5_000_000,
  memoryRequests: 2_000_000,
  rounds: 5,
  seconds: 1.25,
  singleSeconds: 0.4,
};
const QUICK: Plan = {
  sizes: [1_000, 50_000],
  tenantKeys: 10_000,
  history: 100_000,
  memoryRequests: 200_000,
  rounds: 3,
  seconds: 0.7,
  singleSeconds: 0.3,
};

const { values, positionals } = readArguments();
const say = (text: string) => (values.json ? console.error(text) : console.log(text));
await bench(positionals.length > 0 ? positionals : USUAL, values.quick ? QUICK : FULL);
process.exit();

function readArguments() {
  const options = {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const;
  const read = parseArgs({ options, allowPositionals: true });
  const unknown = read.positionals.find((part) => !(part in PARTS));
  if (read.values.help || unknown !== undefined) {
    console.error(unknown === undefined ? USAGE : `There is no part "${unknown}".\n\n${USAGE}`);
    process.exit(unknown === undefined ? 0 : 1);
  }
  return read;
}

async function bench(parts: readonly string[], plan: Plan): Promise<void> {
  const began = performance.now();
  prepare(parts);
  const folder = await mkdtemp(path.join(tmpdir(), 'latchkey-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const stores = await Stores.open(folder);
  const generator = startGenerator(path.join(folder, 'generator.log'));
  say(`${machine()}. The load comes from ${generator.name}.\n`);
  let filled: ReturnType<typeof latchkeyStores> | undefined;
  const context: Bench = {
    stores,
    generator,
    plan,
    print: (text) => say(`${text}\n`),
    latchkey: async () => (filled ??= latchkeyStores(stores, plan.sizes)),
  };
  const results: Record<string, unknown> = {};
  for (const part of parts) results[part] = await PARTS[part]?.(context);
  if (values.json) console.log(JSON.stringify({ plan, machine: machine(), ...results }));
  await stores.close();
  say(`All of it took ${((performance.now() - began) / 1000).toFixed(0)} s.`);
}

/** Builds what is measured, and installs what it is compared with. */
function prepare(parts: readonly string[]): void {
  const npm = (args: string[], cwd: string) =>
    execFileSync('npm', args, { cwd, stdio: ['ignore', process.stderr, process.stderr] });
  npm(['run', '--silent', 'build'], ROOT);
  const others = path.join(ROOT, 'scripts/bench');
  if (parts.includes('keys') && !isInstalled(others)) {
    npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], others);
  }
}

/** Whether npm has installed what the lock file says since it was last changed. */
function isInstalled(folder: string): boolean {
  const changedAt = (file: string) => statSync(path.join(folder, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return changedAt('node_modules/.package-lock.json') > changedAt('package-lock.json');
}
