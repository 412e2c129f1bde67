import type { AddressInfo } from 'node:net';
import { readConfig, type Config } from '../../app/config.ts';
import { createLog } from '../../app/log.ts';
import { createHttpServer, listen } from '../../app/server.ts';
import { openServices, type Services } from '../../app/services.ts';
import { Client } from './http.ts';
import { migrateOrCopy } from './migratedCopy.ts';

export type Environment = Record<string, string | undefined>;

export const JWT_SECRET = 'a secret of tests, long enough to sign with';

/** What a suite's environment starts from: everything is logged, and limits are counted but out of the way. */
const DEFAULTS: Environment = {
  PORT: '0',
  HOST: '127.0.0.1',
  JWT_SECRET,
  LOG_LEVEL: 'trace',
  // Room for tests that ask for many things at once; what the default allows is tested by itself.
  DATABASE_CONNECTIONS: '16',
  KEY_LIMIT: '1000000/60',
  PERSON_LIMIT: '1000000/60',
  ADDRESS_LIMIT: '1000000/60',
  LOGIN_LIMIT: '1000000/60',
};

/** The production app in this process, on a port of its own. */
export class TestServer extends Client {
  readonly services: Services;
  /** Every line that was logged so far, as written. */
  readonly log: readonly string[];
  readonly stop: () => Promise<void>;

  constructor(url: string, services: Services, log: readonly string[], stop: () => Promise<void>) {
    super(url);
    this.services = services;
    this.log = log;
    this.stop = stop;
  }
}

/** Migrates the database and starts the app on it: `startServer(database.env(), { TRUSTED_HOPS: '1' })`. */
export async function startServer(env: Environment, overrides: Environment = {}): Promise<TestServer> {
  const config = readConfig({ ...DEFAULTS, ...env, ...overrides });
  await migrateOrCopy(config.database);
  return serve(config);
}

/** Starts the app on the database as it is. */
export async function startServerUnmigrated(env: Environment, overrides: Environment = {}): Promise<TestServer> {
  return serve(readConfig({ ...DEFAULTS, ...env, ...overrides }));
}

async function serve(config: Config): Promise<TestServer> {
  const lines: string[] = [];
  const log = createLog(config.logLevel, { write: (line) => lines.push(line) });
  const services = openServices(config, log);
  const http = createHttpServer(services);
  await listen(http, config.port, config.host);
  const { port } = http.address() as AddressInfo;
  const server = new TestServer(`http://${config.host}:${port}`, services, lines, async () => {
    server.close();
    const closed = new Promise((resolve) => http.close(resolve));
    http.closeAllConnections();
    await closed;
    await services.close();
  });
  return server;
}
