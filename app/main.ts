import { ConfigError, readConfig, type Config } from './config.ts';
import { dataDirFault } from './dataDirFault.ts';
import { createLog } from './log.ts';

await main();

/** Environment → server; a signal at any moment drains and ends with 0. */
async function main(): Promise<void> {
  const config = readConfigOrExit();
  const log = createLog(config.logLevel);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort(signal));
  // Loaded after the settings were read, so that a wrong one is told at once and not a second later.
  const { serve } = await import('./serve.ts');
  try {
    await serve(config, log, stop.signal);
  } catch (error) {
    fail(startProblem(error, config));
  }
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
