import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';

export interface TestServer {
  /** Where the server answers, with the right to create and drop schemas, and no schema in its path. */
  readonly url: string;
  /** The server's own process; absent for a server that was there before. */
  readonly pid?: number;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 20_000;
const STOPPED_WITHIN_MS = 10_000;
const PACKAGES = ['mariadb-server-core', 'mariadb-client-core'];
const NO_SERVER =
  'No MySQL server to test with: install MariaDB or MySQL 8 (Debian: apt-get install mariadb-server-core mariadb-client-core), ' +
  'or set TEST_DATABASE_URL to a server where schemas may be created and dropped, such as mysql://root@127.0.0.1:3306/';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
// Both servers refuse to run as root unless it is asked for by name.
const asRoot = isRoot ? ['--user=root'] : [];

/** Gives the server of TEST_DATABASE_URL, or starts a private one that ends at stop() or with this process. */
export async function startTestDatabase(): Promise<TestServer> {
  const url = process.env.TEST_DATABASE_URL;
  return url ? { url, stop: () => Promise.resolve() } : startPrivateServer();
}

/** Starts a server of its own, whatever TEST_DATABASE_URL says, for those who want to hurt it. */
export async function startPrivateServer(): Promise<TestServer> {
  const program = findServer() ?? (await installServer());
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-database-'));
  const port = await freePort();
  const url = `mysql://root@127.0.0.1:${port}/`;
  let server: ChildProcess | undefined;
  // An exit leaves no time for a graceful stop, and nothing in the folder is worth one.
  const abandon = () => {
    server?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  const stop = async () => {
    if (server) await end(server);
    await rm(folder, { recursive: true, force: true });
    process.off('exit', abandon);
  };
  process.once('exit', abandon);
  try {
    await createDataDirectory(program, dataIn(folder));
    server = await launch(program, folder, port);
    await untilReady(server, url, logIn(folder));
  } catch (error) {
    await stop();
    throw error;
  }
  return server.pid === undefined ? { url, stop } : { url, pid: server.pid, stop };
}

const dataIn = (folder: string) => join(folder, 'data');
const logIn = (folder: string) => join(folder, 'error.log');

function find(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .filter(Boolean)
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const findServer = () => find('mariadbd') ?? find('mysqld');

async function installServer(): Promise<string> {
  if (!isRoot || !existsSync('/etc/debian_version')) throw new Error(NO_SERVER);
  console.error(`Installing ${PACKAGES.join(' and ')} for the tests.`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('apt-get', ['update'], { env });
    await run('apt-get', ['install', '-y', '--no-install-recommends', ...PACKAGES], { env });
  } catch (cause) {
    throw new Error(NO_SERVER, { cause });
  }
  const program = findServer();
  if (!program) throw new Error(NO_SERVER);
  return program;
}

async function createDataDirectory(program: string, data: string): Promise<void> {
  const { stdout: version } = await run(program, ['--no-defaults', '--version']);
  if (!version.includes('MariaDB')) {
    await run(program, ['--no-defaults', '--initialize-insecure', `--datadir=${data}`, ...asRoot]);
    return;
  }
  const installer = find('mariadb-install-db') ?? find('mysql_install_db');
  if (!installer) throw new Error(`${program} is here but mariadb-install-db is not: install all of MariaDB's server.`);
  await run(installer, [
    '--no-defaults',
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    ...asRoot,
  ]);
}

/** Asks the system for a free port; somebody else could take it before the server does, which then says so. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

async function launch(program: string, folder: string, port: number): Promise<ChildProcess> {
  const [command = program, ...args] = [
    ...(await endingWithParent()),
    program,
    '--no-defaults',
    `--datadir=${dataIn(folder)}`,
    `--socket=${join(folder, 'server.sock')}`,
    `--pid-file=${join(folder, 'server.pid')}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    // MySQL's second protocol would want a fixed port; MariaDB does not know the option.
    '--loose-mysqlx=OFF',
    // MySQL's packages set a folder that need not be there, and the server would not start; MariaDB takes none by default.
    '--loose-secure-file-priv=',
    '--skip-log-bin',
    // The data dies with the run, so nothing is spent on surviving a power cut.
    '--innodb-flush-log-at-trx-commit=0',
    '--innodb-doublewrite=0',
    '--innodb-flush-method=nosync',
    '--loose-sync-frm=0',
    '--loose-debug-no-sync',
    // Each suite makes and drops its own tables, which takes a quarter of the time where they are no files of their own.
    '--loose-innodb-file-per-table=0',
    // Its own, since another run's server clears what it takes for its own left-overs.
    `--tmpdir=${folder}`,
    ...asRoot,
  ];
  const log = openSync(logIn(folder), 'a');
  const server = spawn(command, args, { stdio: ['ignore', log, log] });
  await once(server, 'spawn');
  return server;
}

/** On Linux, has the kernel stop the server when this process is killed and cannot do so itself. */
async function endingWithParent(): Promise<string[]> {
  const prefix = ['--pdeathsig', 'TERM'];
  try {
    await run('setpriv', [...prefix, 'true']);
    return ['setpriv', ...prefix];
  } catch {
    return [];
  }
}

const hasEnded = (server: ChildProcess) => server.exitCode !== null || server.signalCode !== null;

async function untilReady(server: ChildProcess, url: string, log: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await answers(url))) {
    if (hasEnded(server)) throw new Error(`The test database ended before it was ready:\n${lastLines(log)}`);
    if (Date.now() > deadline) {
      throw new Error(`The test database was not ready within ${READY_WITHIN_MS / 1000} s:\n${lastLines(log)}`);
    }
    await sleep(20);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const connection = await createConnection({ uri: url, connectTimeout: 1000 });
    await connection.end();
    return true;
  } catch {
    return false;
  }
}

const lastLines = (log: string) => readFileSync(log, 'utf8').trim().split('\n').slice(-15).join('\n');

async function end(server: ChildProcess): Promise<void> {
  if (hasEnded(server)) return;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  // A test may have left the server frozen.
  const last = setTimeout(() => server.kill('SIGKILL'), STOPPED_WITHIN_MS);
  await ended;
  clearTimeout(last);
}

async function runByHand(): Promise<void> {
  const server = await startTestDatabase();
  console.log(server.url);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void server.stop());
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await runByHand();
