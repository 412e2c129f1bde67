import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { freePort } from './child.ts';

const NO_SERVER = 'No Redis to test with: install redis-server (Debian: apt-get install redis-server).';
const READY_WITHIN_MS = 10_000;

const run = promisify(execFile);

/** A real Redis of the suite's own, to be hurt. */
export class RedisServer {
  readonly url: string;
  readonly #port: number;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string) {
    this.#port = port;
    this.#folder = folder;
    this.url = `redis://127.0.0.1:${port}/`;
  }

  /** Starts one that ends with `remove()`, or with this process; it is installed first where that can be done. */
  static async start(...options: string[]): Promise<RedisServer> {
    await ensureInstalled();
    const folder = await mkdtemp(join(process.env.TEST_FOLDER ?? tmpdir(), 'latchkey-redis-'));
    const server = new RedisServer(await freePort(), folder);
    await server.startAgain(...options);
    return server;
  }

  /** Starts on the same port, empty. */
  async startAgain(...options: string[]): Promise<void> {
    const args = ['--port', String(this.#port), '--bind', '127.0.0.1', '--dir', this.#folder];
    const redis = spawn('redis-server', [...args, '--save', '', '--appendonly', 'no', ...options], {
      stdio: 'ignore',
      env: process.env,
    });
    this.#process = redis;
    process.once('exit', () => redis.kill('SIGKILL'));
    await once(redis, 'spawn');
    await untilReady(this.url, redis);
  }

  /** It answers nothing from now on, but its port still takes connections. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    if (!this.#process || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The runner installs it where that can be done, before the tests begin. */
async function ensureInstalled(): Promise<void> {
  if (!(await isInstalled())) throw new Error(NO_SERVER);
}

async function isInstalled(): Promise<boolean> {
  try {
    await run('redis-server', ['--version']);
    return true;
  } catch {
    return false;
  }
}

async function untilReady(url: string, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  const probe = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  probe.on('error', () => undefined);
  try {
    while (probe.status !== 'ready') {
      if (server.exitCode !== null || Date.now() > deadline) throw new Error('The Redis under test did not start.');
      await delay(10);
    }
  } finally {
    probe.disconnect();
  }
}
