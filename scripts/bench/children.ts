import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../app/root.ts';
import { PATH } from './answer.ts';
import type { Question, Report } from './selfReport.ts';

/** A process of the bench on a core of its own. */
export interface Child {
  readonly process: ChildProcess;
  /** Processor time so far, in hundredths of a second. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export interface ServerUnderTest extends Child {
  readonly port: number;
  report(question: Question): Promise<Report>;
}

interface Program {
  /** The file that Node runs. */
  file: string;
  env?: Record<string, string>;
  /** Any, unless given. */
  core?: number;
  /** Where its output goes. */
  log: string;
  /** The Node that runs it; the one that runs the bench, unless given. */
  node?: string | undefined;
  /** Node's options. */
  args?: readonly string[];
  /** What the program itself is told. */
  after?: readonly string[];
}

const SELF_REPORT = pathToFileURL(join(ROOT, 'dist/scripts/bench/selfReport.js')).href;
const READY_WITHIN_MS = 60_000;
const CLOCK_TICKS = 100;
const CORES = availableParallelism();
const canPin = works('taskset', ['-c', '0', 'true']);

/** Servers have the first core, the load generator the second, and the database what is left: with two cores, the second. */
export const SERVER_CORE = 0;
export const GENERATOR_CORE = CORES > 1 ? 1 : 0;
export const DATABASE_CORES = CORES > 2 ? `2-${CORES - 1}` : String(GENERATOR_CORE);

/** What the report says of where things ran. */
export function machine(): string {
  const all = `Node ${process.versions.node} on ${CORES} shared cores (${cpus()[0]?.model.trim() ?? 'of a kind not told'})`;
  if (!canPin) return `${all}, nothing pinned for want of taskset`;
  const database = CORES > 2 ? 'the database the rest' : 'which the database shares';
  return `${all}: the server under test has the first, the load generator the second, ${database}`;
}

/** A command that runs on one core where that can be asked for. */
export function onCore(core: number | undefined, command: string, args: string[]): string[] {
  const own = [command, ...args];
  return canPin && core !== undefined ? ['taskset', '-c', String(core), ...own] : own;
}

/** Keeps a process that runs already, with all its threads, to some cores. */
export function pin(pid: number, cores: string): void {
  if (canPin) execFileSync('taskset', ['-a', '-p', '-c', cores, String(pid)], { stdio: 'ignore' });
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a Node program on one core. */
export function start({ file, env = {}, core, log, node = process.execPath, args = [], after = [] }: Program): Child {
  const [command = '', ...rest] = onCore(core, node, [...args, file, ...after]);
  const output = openSync(log, 'a');
  const child = spawn(command, rest, {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  running.add(child);
  const ended = once(child, 'exit').then(() => running.delete(child));
  return {
    process: child,
    cpuSeconds: () => cpuSeconds(child.pid),
    stop: async () => {
      // What it holds is thrown away, so nothing is spent on a graceful end.
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Puts a question to a child and waits for what it says, or for its end. */
export async function ask<Answer>({ process: child }: Child, question: object): Promise<Answer> {
  const over = new AbortController();
  const { signal } = over;
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error(`a process of the bench ended: ${child.spawnargs.join(' ')}`);
  });
  try {
    const answered = once(child, 'message', { signal }) as Promise<[Answer]>;
    child.send(question);
    const [answer] = await Promise.race([answered, ended]);
    return answer;
  } finally {
    over.abort();
  }
}

/** Starts a server on a free port and waits until it answers the request of the bench, with any status. */
export async function startServer(program: Program): Promise<ServerUnderTest> {
  const port = await freePort();
  const args = ['--import', SELF_REPORT, ...(program.args ?? [])];
  const child = start({ ...program, args, env: { ...program.env, PORT: String(port) } });
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await answers(port))) {
    if (child.process.exitCode !== null || Date.now() > deadline) {
      await child.stop();
      throw new Error(`${program.file} did not answer:\n${readFileSync(program.log, 'utf8').slice(-2_000)}`);
    }
    await sleep(25);
  }
  return { ...child, port, report: async (question) => ask<Report>(child, question) };
}

async function answers(port: number): Promise<boolean> {
  try {
    const { status } = await fetch(`http://127.0.0.1:${port}${PATH}`);
    return status < 500;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

function works(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function fromProc(pid: number | undefined, file: string): string | undefined {
  try {
    return readFileSync(join('/proc', String(pid), file), 'utf8');
  } catch {
    return undefined;
  }
}

/** Processor time that a process used so far; NaN where the system does not say. */
export function cpuSeconds(pid: number | undefined): number {
  // The name of the program may hold spaces; the fields after its bracket do not.
  const fields = fromProc(pid, 'stat')?.split(') ')[1]?.split(' ');
  return (Number(fields?.[11]) + Number(fields?.[12])) / CLOCK_TICKS;
}
