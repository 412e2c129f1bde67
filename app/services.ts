import { connect, type Db } from '../db/connection/connect.ts';
import { openLookups } from '../db/lookups.ts';
import type { Config } from './config.ts';
import { KeyTexts } from './auth/keyTexts.ts';
import { createLookup, type Lookup } from './auth/lookup.ts';
import { LeakReports } from './actions/keys/leakReports.ts';
import { Usage, type UsageSettings } from './usage/usage.ts';
import { writerThread } from './usage/writerThread.ts';
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
  /** Says which texts may be keys. */
  keyTexts: KeyTexts;
  /** Takes reports of leaked keys. */
  leaks: LeakReports;
  /** Records the uses of keys. */
  usage: Usage;
  /** A step of the roll-up of usage, in the thread that writes uses; false once there is no more to do. */
  rollUpNextDays: (to: number) => Promise<boolean>;
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

/**
 * SQLite writes more uses for less, the more of them it has: those of a key are beside each other in its indexes. It stands on
 * the same disk as the journal, so that nothing is lost by waiting.
 */
function usageSettings({ database }: Config): Partial<UsageSettings> {
  return database.kind === 'sqlite' ? { together: 16, gatherMs: 2_000, settleMs: 30_000 } : {};
}

/** Opens everything a process needs; nothing is asked of the database yet. */
export function openServices(config: Config, log: Log): Services {
  const secret = signingSecret(config);
  const db = connect(config.database);
  const lookups = openLookups(config.database);
  const lookup = createLookup(lookups, { plans: config.sampleProduct });
  const writer = writerThread.open(config.database, log);
  const usage = new Usage(writer, log, config.dataDir, usageSettings(config));
  const limits = createLimits(config, log, db);
  const keyTexts = new KeyTexts(config.keys.prefix, lookup);
  const leaks = new LeakReports(db, lookup, log, keyTexts);
  return {
    config,
    log,
    db,
    lookup,
    keyTexts,
    leaks,
    usage,
    rollUpNextDays: async (to) => writer.rollUpNextDays(to),
    limits,
    devices: createDevices(db, secret),
    secret,
    verificationKey: verificationKey(config.jwt, secret),
    readiness: { stopping: false },
    close: async () => {
      await leaks.close();
      await usage.close();
      limits.close();
      await lookups.close();
      await db.destroy();
    },
  };
}
