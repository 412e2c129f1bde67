import { ConfigError, readConfig, type Config } from './config.ts';
import { readyDatabase } from './readyDatabase.ts';
import { createLog, type Log } from './log.ts';
import { createHttpServer, drain, listen } from './server.ts';
import { openServices } from './services.ts';

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
  const services = openServices(config, log);
  const server = createHttpServer(services);
  await listen(server, config.port, config.host);
  log.info(`Latchkey answers on ${config.publicUrl}`);
  await readyDatabase(services.db, config.database, log, stop);
  if (!stop.aborted) log.info('ready');
  await aborted(stop);
  log.info({ signal: stop.reason }, 'stopping');
  await drain(server, services.readiness);
  await services.close();
  log.info('stopped');
  log.flush();
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

/** What went wrong, in one line that says what to do. */
function startProblem(error: unknown, config: Config): string {
  const { code } = error as { code?: unknown };
  switch (code) {
    case 'EADDRINUSE':
      return `PORT ${config.port} is already in use: stop the other program or set PORT`;
    case 'EACCES':
    case 'EROFS':
    case 'EPERM':
      return `DATA_DIR ${config.dataDir} cannot be written: make it writable or set DATA_DIR`;
    default:
      return `Latchkey could not start: ${error instanceof Error ? error.message : 'unknown fault'}`;
  }
}

function fail(line: string): never {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}
