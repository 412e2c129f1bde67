import { faultCode } from '../db/connection/faults.ts';
import { readScopesFile } from './actions/installation/scopesFile.ts';
import { settleScopes } from './actions/installation/settleScopes.ts';
import { ConfigError, readConfig, type Config } from './config.ts';
import { dataDirFault } from './dataDirFault.ts';
import { firstStart } from './firstStart.ts';
import { waitForDatabase } from './waitForDatabase.ts';
import { startHousekeeping } from './housekeeping.ts';
import { createLog, type Log } from './log.ts';
import { listenForMetrics } from './metricsServer.ts';
import { createHttpServer, drain, listen } from './server.ts';
import { openServices, type Services } from './services.ts';
import { importOnDemand } from './importOnDemand.ts';
import { nextTurn, waitAtMost } from './timing.ts';

/** How long closing connections and files may take. */
const CLOSE_MS = 5_000;

await main();

/** Environment → database → app → listen; a signal at any moment drains and ends with 0. */
async function main(): Promise<void> {
  const config = readConfigOrExit();
  const log = createLog(config.logLevel);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort(signal));
  try {
    await serve(config, log, stop.signal);
  } catch (error) {
    fail(startProblem(error, config));
  }
}

async function serve(config: Config, log: Log, stop: AbortSignal): Promise<void> {
  const scopes = config.scopesFile === undefined ? undefined : readScopesFile(config.scopesFile, config.sampleProduct);
  const services = openServices(config, log);
  const server = createHttpServer(services);
  await collectGarbageOfStart();
  await listen(server, config.port, config.host);
  const metrics = await listenForMetrics(services);
  log.info(`Latchkey answers on ${config.publicUrl}, with its data in ${placeOf(config.database)}`);
  // A file is one process's own, which has nobody to share limits with.
  if (config.redisUrl === undefined && config.database.kind === 'mysql') {
    log.info('limits are counted by this process alone; REDIS_URL shares them');
  }
  if (config.database.kind === 'mysql') {
    log.info(`opens up to ${config.database.connections} database connections (DATABASE_CONNECTIONS)`);
  }
  await waitForDatabase(services.db, config.database, log, stop);
  if (!stop.aborted) await settleScopes(services, scopes);
  if (!stop.aborted) await firstStart(services);
  const housekeeping = startHousekeeping(services);
  if (!stop.aborted) log.info('ready');
  await aborted(stop);
  log.info({ signal: stop.reason }, 'stopping');
  await drain(server, services.readiness);
  await metrics.close();
  await housekeeping.stop();
  await close(services);
  log.info('stopped');
  process.exit(0);
}

/**
 * Loading the code leaves tens of megabytes that V8 would keep for as long as the process runs: a tenth of a second,
 * before the first request can come, gives them back. Only the inspector can ask V8 for that.
 */
async function collectGarbageOfStart(): Promise<void> {
  if (!process.features.inspector) return;
  const { Session } = importOnDemand('node:inspector') as typeof import('node:inspector');
  const session = new Session();
  session.connect();
  await new Promise<void>((resolve) => session.post('HeapProfiler.collectGarbage', () => resolve()));
  // A session cannot be disconnected from within its own callback.
  await nextTurn();
  session.disconnect();
}

/** Where the data is, for the log: without user and password. */
function placeOf(database: Config['database']): string {
  return database.kind === 'sqlite' ? database.file : `${database.database} on ${database.host}:${database.port}`;
}

/** A database that does not answer any more must not keep the process. */
async function close(services: Services): Promise<void> {
  try {
    await waitAtMost(CLOSE_MS, services.close());
  } catch (error) {
    services.log.warn({ fault: faultCode(error) }, 'not everything could be closed');
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

function readConfigOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) fail(error.message);
    throw error;
  }
}

/** A failed start in one line that says what to do. */
function startProblem(error: unknown, config: Config): string {
  if (error instanceof ConfigError) return error.message;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (syscall === 'listen' || syscall === 'getaddrinfo') return listenProblem(code, config);
  const fault = dataDirFault(error, config);
  if (fault !== undefined) return fault;
  return `Latchkey could not start: ${error instanceof Error ? error.message : 'unknown fault'}`;
}

function listenProblem(code: unknown, { port, host }: Config): string {
  switch (code) {
    case 'EADDRINUSE':
      return `PORT ${port} is already in use: stop the other program, or choose another port: PORT=${port + 1} npm start`;
    case 'EACCES':
      return `PORT ${port} is not for this user: set PORT to 1024 or above`;
    default:
      return `HOST ${host} is no address of this machine: set HOST to one, or leave it unset`;
  }
}

function fail(line: string): never {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}
