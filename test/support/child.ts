import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import path from 'node:path';
import { createServer } from 'node:net';
import { ROOT } from '../../app/root.ts';
import { Client } from './http.ts';
import { JWT_SECRET } from './server.ts';

type Environment = Record<string, string | undefined>;

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** What a child is given of this process's environment: enough to find programs, nothing that configures the app. */
const INHERITED: Environment = { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR };

const MAIN = path.join(ROOT, 'dist/app/main.js');

/** A program of the project's in a process of its own; it ends with its suite at the latest. */
export class Child {
  stdout = '';
  stderr = '';
  /** Resolves when the process is gone and all it said has been read. */
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;
  readonly #news = new EventEmitter().setMaxListeners(0);

  constructor(command: string, args: string[], env: Environment) {
    this.#process = spawn(command, args, {
      cwd: ROOT,
      env: { ...INHERITED, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what it has started can be ended with it.
      detached: true,
    });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#news.emit('news');
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#news.emit('news');
    });
    this.ended = this.#end();
    running.add(this);
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error('The program could not be started');
    return this.#process.pid;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Ends it without a word, and whatever it has started. */
  destroy(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nobody of them is left.
    }
  }

  /** Resolves once the output has the text, which may already be so; rejects when the process ends without it. */
  async says(text: string): Promise<void> {
    const said = () => this.stdout.includes(text) || this.stderr.includes(text);
    while (!said()) {
      if (!running.has(this)) throw new Error(`It ended before it said "${text}":\n${this.stdout}${this.stderr}`);
      await once(this.#news, 'news');
    }
  }

  async #end(): Promise<Ended> {
    const [code, signal] = (await once(this.#process, 'close')) as [Ended['code'], Ended['signal']];
    running.delete(this);
    this.#news.emit('news');
    return { code, signal };
  }
}

const running = new Set<Child>();
process.once('exit', () => running.forEach((child) => child.destroy()));

/** Kills what the suite's tests left running: `afterEach(endChildren)`. */
export async function endChildren(): Promise<void> {
  for (const child of running) {
    child.destroy();
    await child.ended;
  }
}

/** A JavaScript file of the project as a process. */
export function startScript(file: string, env: Environment): Child {
  return new Child(process.execPath, ['--enable-source-maps', path.join(ROOT, file)], env);
}

/** The server as a process, as it was built for these tests, with a client of it; it may not answer yet, or ever. */
export async function startMain(env: Environment): Promise<Child & { client: Client }> {
  const port = env.PORT ?? String(await freePort());
  const child = new Child(process.execPath, ['--enable-source-maps', MAIN], {
    ...{ HOST: '127.0.0.1', JWT_SECRET, PORT: port },
    ...env,
  });
  return Object.assign(child, { client: new Client(`http://127.0.0.1:${port}`) });
}

/**
 * Below the ports that the system gives to whoever asks for any: another test could be given one of those before the
 * server that it was found for has started. Browsers refuse some ports below 11,000.
 */
const FIRST_PORT = 11_000;
const PORTS_EACH = 1_900;
/** Each process of mocha has ports of its own, the last ones where there is one process alone. */
const MOST_PROCESSES = 11;
const ownPorts = FIRST_PORT + PORTS_EACH * (Number(process.env.MOCHA_WORKER_ID ?? MOST_PROCESSES - 1) % MOST_PROCESSES);
let nextPort = Math.floor(Math.random() * PORTS_EACH);

/** A port that nobody listens on, and that no other test is given. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ownPorts + (nextPort++ % PORTS_EACH);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
