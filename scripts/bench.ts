import { execFileSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../app/root.ts';
import { adminPart } from './bench/adminPart.ts';
import { readArguments, type Part } from './bench/arguments.ts';
import { buildOf, compile, ownBuildOnNode, ownBuildWith } from './bench/builds.ts';
import { machine } from './bench/children.ts';
import { comparePart } from './bench/comparePart.ts';
import { latchkeyStores, type Bench } from './bench/context.ts';
import { keysPart } from './bench/keysPart.ts';
import { startGenerator } from './bench/load.ts';
import { memoryPart } from './bench/memoryPart.ts';
import { pacedPart } from './bench/pacedPart.ts';
import { peersPart } from './bench/peersPart.ts';
import { revokePart } from './bench/revokePart.ts';
import { Stores } from './bench/stores.ts';
import { verifyPart } from './bench/verifyPart.ts';

const PARTS: Record<Part, (bench: Bench) => Promise<unknown>> = {
  keys: keysPart,
  verify: verifyPart,
  paced: pacedPart,
  peers: peersPart,
  revoke: revokePart,
  admin: async (bench) => adminPart(bench, 'MariaDB'),
  'admin-sqlite': async (bench) => adminPart(bench, 'SQLite'),
  memory: memoryPart,
  compare: comparePart,
};

const { parts, plan, json, against, options, nodes } = readArguments(process.argv.slice(2));
const say = (text: string) => (json ? console.error(text) : console.log(text));
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(0);
await bench();
process.exit();

async function bench(): Promise<void> {
  const began = performance.now();
  const folder = await mkdtemp(path.join(tmpdir(), 'latchkey-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  compile();
  if (parts.includes('peers')) installPeers();
  const others = [
    ...against.map((commit) => buildOf(commit, folder)),
    ...options.map(ownBuildWith),
    ...nodes.map(ownBuildOnNode),
  ];
  const stores = await Stores.open(folder);
  const generator = startGenerator(path.join(folder, 'generator.log'));
  say(`${machine()}.\n`);
  let filled: ReturnType<typeof latchkeyStores> | undefined;
  const context: Bench = {
    stores,
    generator,
    plan,
    others,
    print: (text) => say(`${text}\n`),
    latchkey: async () => (filled ??= latchkeyStores(stores, plan)),
  };
  const results: Record<string, unknown> = {};
  for (const part of parts) {
    const partBegan = performance.now();
    results[part] = await PARTS[part](context);
    say(`The part ${part} took ${seconds(partBegan)} s.\n`);
  }
  if (json) console.log(JSON.stringify({ plan, machine: machine(), ...results }));
  await stores.close();
  say(`All of it took ${seconds(began)} s.`);
}

/** Installs what Latchkey is compared with, as its lock file says, unless it is there. */
function installPeers(): void {
  const folder = path.join(ROOT, 'scripts/bench');
  const changedAt = (file: string) => statSync(path.join(folder, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (changedAt('node_modules/.package-lock.json') > changedAt('package-lock.json')) return;
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', process.stderr, process.stderr],
  });
}
