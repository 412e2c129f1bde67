import { faultCode } from '../db/connection/faults.ts';
import { readScopesFile } from './actions/installation/scopesFile.ts';
import { settleScopes } from './actions/installation/settleScopes.ts';
import type { Config } from './config.ts';
import { firstStart } from './firstStart.ts';
import { waitForDatabase } from './waitForDatabase.ts';
import { startHousekeeping } from './housekeeping.ts';
import type { Log } from './log.ts';
import { listenForMetrics } from './metricsServer.ts';
import { createHttpServer, drain, listen } from './server.ts';
import { openServices, type Services } from './services.ts';
import { importOnDemand } from './importOnDemand.ts';
import { nextTurn, waitAtMost } from './timing.ts';

/** How long closing connections and files may take. */
const CLOSE_MS = 5_000;

/** Database → app → listen, until the signal says to stop; then drains, closes everything and ends the process with 0. */
export async function serve(config: Config, log: Log, stop: AbortSignal): Promise<void> {
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
