import { copyFile, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../../app/root.ts';
import { Child } from '../../support/child.ts';

/** Where the Latchkeys of a backend are, and its own key. */
export type Settings = Record<'LATCHKEY_URL' | 'LATCHKEY_KEY' | 'HANGING_URL' | 'AWAY_URL' | 'MOVED_URL', string>;

/** A server whose routes are guarded by a file of docs/clients: the same routes in each language. */
export interface Backend {
  url: string;
  /** All that its process has written; one that runs in this process warns by it. */
  said: () => string;
  stop: () => Promise<void>;
}

const CLIENTS = path.join(ROOT, 'docs/clients');
const HERE = path.join(ROOT, 'test/docs/backends');
const run = promisify(execFile);

/** Starts the backend in Python, with one of its two kinds of servers. */
export async function startPython(kind: 'wsgi' | 'asgi', settings: Settings): Promise<Backend> {
  return started('python3', [path.join(HERE, 'backend.py'), kind], {
    ...settings,
    PYTHONPATH: CLIENTS,
    PYTHONDONTWRITEBYTECODE: '1',
  });
}

/** Builds and starts the backend in Go, without asking the network for anything. */
export async function startGo(settings: Settings): Promise<Backend> {
  const folder = await mkdtemp(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'latchkey-go-'));
  await mkdir(path.join(folder, 'latchkey'));
  await writeFile(path.join(folder, 'go.mod'), 'module backend\n\ngo 1.18\n');
  await copyFile(path.join(HERE, 'backend.go'), path.join(folder, 'backend.go'));
  await copyFile(path.join(CLIENTS, 'latchkey.go'), path.join(folder, 'latchkey/latchkey.go'));
  const env = { ...process.env, GOPROXY: 'off', GOTOOLCHAIN: 'local' };
  await run('go', ['build', '-o', 'backend', '.'], { cwd: folder, env }).catch((error: unknown) => {
    throw new Error('The backend in Go was not built (Debian: apt-get install golang-go)', { cause: error });
  });
  return started(path.join(folder, 'backend'), [], settings);
}

/** The program says in its first line where it listens. */
async function started(command: string, args: string[], env: Record<string, string>): Promise<Backend> {
  const child = new Child(command, args, env);
  await child.says('\n');
  return {
    url: child.stdout.trim(),
    said: () => child.stdout + child.stderr,
    stop: async () => {
      child.destroy();
      await child.ended;
    },
  };
}
