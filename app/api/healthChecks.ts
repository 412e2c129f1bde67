import type { Db } from '../../db/connection/connect.ts';
import { isContention } from '../../db/connection/faults.ts';
import { migrationState, type MigrationState } from '../../db/migrate.ts';
import { probeWrite } from '../../db/connection/probeWrite.ts';
import { hasAnyUser } from '../../db/tables/people/users.ts';
import type { Services } from '../services.ts';

/** What health looks at, each by its name, and what may be said of it; the first word of each means that all is well. */
export const HEALTH_STATES = {
  database: ['ok', 'unreachable', 'unwritable'],
  migrations: ['current', 'pending', 'unknown'],
  journal: ['ok', 'unwritable'],
  owner: ['ready', 'pending'],
} as const;

type States = typeof HEALTH_STATES;
/** What was found; the owner is absent where the environment names none, and until they can be looked for. */
export type Findings = { [Name in Exclude<keyof States, 'owner'>]: States[Name][number] } & {
  owner?: States['owner'][number];
};

/** What a check stands on: the schema as it was found, which is asked once for all of them. */
interface Round {
  migrations: MigrationState | 'unknown';
}
type Check<State> = (round: Round) => State | undefined | Promise<State | undefined>;
type Checks = { [Name in keyof States]: Check<States[Name][number]> };

/** Whether nothing that was looked at keeps requests from being answered. */
export function isHealthy(findings: Findings): boolean {
  const names = Object.keys(HEALTH_STATES) as (keyof States)[];
  return names.every((name) => (findings[name] ?? HEALTH_STATES[name][0]) === HEALTH_STATES[name][0]);
}

/** Gives what looks at everything once, however many ask at the same time. */
export function healthChecks({
  config,
  db,
  usage,
}: Pick<Services, 'config' | 'db' | 'usage'>): () => Promise<Findings> {
  const canWrite = writableDatabase(db, usage);
  const isOwnerReady = ownerCheck(db);
  const checks: Checks = {
    database: async ({ migrations }) => {
      if (migrations === 'unknown') return 'unreachable';
      // Without its tables nothing can be written yet, and `migrations` says so.
      return migrations === 'pending' || (await canWrite()) ? 'ok' : 'unwritable';
    },
    migrations: ({ migrations }) => migrations,
    journal: async () => ((await usage.canRecord()) ? 'ok' : 'unwritable'),
    owner: async ({ migrations }) => {
      if (!config.owner || migrations !== 'current') return undefined;
      return (await isOwnerReady()) ? 'ready' : 'pending';
    },
  };
  return oncePerRound(async () => {
    const round = { migrations: await migrationState(db).catch(() => 'unknown' as const) };
    const found = Object.entries(checks).map(async ([name, check]) => [name, await check(round)] as const);
    return Object.fromEntries((await Promise.all(found)).filter(([, state]) => state !== undefined)) as Findings;
  });
}

/** How long a write that went well is believed, and one that did not. */
const SUCCESS_VALID_MS = 5_000;
const FAILURE_VALID_MS = 1_000;
/** Uses that the database has not taken for this long count as much as a write of our own that failed. */
const LONGEST_FLUSH_FAILURE_MS = 3_000;

/** Whether the database can be written: by the last uses that it took, or else by a small write of our own now and then. */
function writableDatabase(db: Db, usage: Services['usage']): () => Promise<boolean> {
  let last = { ok: true, at: -Infinity };
  return async () => {
    const now = performance.now();
    const { failingMs } = usage;
    if (failingMs !== undefined && failingMs > LONGEST_FLUSH_FAILURE_MS) return false;
    if (failingMs === undefined && now - usage.writtenAt < SUCCESS_VALID_MS) return true;
    if (now - last.at < (last.ok && failingMs === undefined ? SUCCESS_VALID_MS : FAILURE_VALID_MS)) return last.ok;
    last = { ok: await tryToWrite(db, last.ok), at: now };
    return last.ok;
  };
}

async function tryToWrite(db: Db, before: boolean): Promise<boolean> {
  try {
    await probeWrite(db, Date.now());
    return true;
  } catch (error) {
    return isContention(error) && before;
  }
}

/** Whether the first start has made its owner; once there is somebody, nobody asks again. */
function ownerCheck(db: Db): () => Promise<boolean> {
  let ready = false;
  return async () => (ready ||= await hasAnyUser(db).catch(() => false));
}

/** However many ask at once, the question is put once. */
function oncePerRound<T>(ask: () => Promise<T>): () => Promise<T> {
  let asking: Promise<T> | undefined;
  return () =>
    (asking ??= ask().finally(() => {
      asking = undefined;
    }));
}
