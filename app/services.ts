import { connect, type Db } from '../db/connection/connect.ts';
import { openLookups } from '../db/lookups.ts';
import type { Config } from './config.ts';
import { createLookup, type Lookup } from './auth/lookup.ts';
import { Usage } from './usage/usage.ts';
import { createLimits, type Limits } from './limits/limits.ts';
import type { Log } from './log.ts';
import { createDevices, type Devices } from './auth/devices.ts';
import { verificationKey, type VerificationKey } from './auth/jwks.ts';
import { signingSecret } from './auth/secrets.ts';

/** The services that the app, the command line and the tests use; one set per process. */
export interface Services {
  config: Config;
  log: Log;
  db: Db;
  /** Finds keys and people for authentication, over connections of its own. */
  lookup: Lookup;
  /** Records the uses of keys. */
  usage: Usage;
  /** Limits the rate of requests. */
  limits: Limits;
  /** Recognises browsers in which a person has signed in before. */
  devices: Devices;
  /** Signs our own tokens. */
  secret: string;
  verificationKey: VerificationKey;
  /** Not ready from the moment the process is told to stop. */
  readiness: { stopping: boolean };
  close(): Promise<void>;
}

/** Opens everything a process needs; nothing is asked of the database yet. */
export function openServices(config: Config, log: Log): Services {
  const secret = signingSecret(config);
  const db = connect(config.database);
  const lookups = openLookups(config.database);
  const usage = new Usage(db, log, config.dataDir);
  const limits = createLimits(config, log, db);
  return {
    config,
    log,
    db,
    lookup: createLookup(lookups, { plans: config.sampleProduct }),
    usage,
    limits,
    devices: createDevices(db, secret),
    secret,
    verificationKey: verificationKey(config.jwt, secret),
    readiness: { stopping: false },
    close: async () => {
      await usage.close();
      limits.close();
      await lookups.close();
      await db.destroy();
    },
  };
}
