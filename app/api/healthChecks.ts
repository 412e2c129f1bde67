import type { Db } from '../../db/connection/connect.ts';
import { isContention } from '../../db/connection/faults.ts';
import { migrationState, type MigrationState } from '../../db/migrate.ts';
import { probeWrite } from '../../db/connection/probeWrite.ts';
import { hasAnyUser } from '../../db/tables/people/users.ts';
import type { Services } from '../services.ts';

/** The health checks and the states of each; the first state is the healthy one. */
export const HEALTH_STATES = {
  database: ['ok', 'unreachable', 'unwritable'],
  migrations: ['current', 'pending', 'unknown'],
  journal: ['ok', 'unwritable'],
  owner: ['ready', 'pending'],
} as const;

type States = typeof HEALTH_STATES;
/** The state of each check; `owner` is absent if the environment names none, and until it can be looked for. */
export type Findings = { [Name in Exclude<keyof States, 'owner'>]: States[Name][number] } & {
  owner?: States['owner'][number];
};

/** The schema's state, read once for all checks of a round. */
interface Round {
  migrations: MigrationState | 'unknown';
}
type Check<State> = (round: Round) => State | undefined | Promise<State | undefined>;
type Checks = { [Name in keyof States]: Check<States[Name][number]> };

/** Whether no check found a state that keeps requests from being answered. */
export function isHealthy(findings: Findings): boolean {
  const names = Object.keys(HEALTH_STATES) as (keyof States)[];
  return names.every((name) => (findings[name] ?? HEALTH_STATES[name][0]) === HEALTH_STATES[name][0]);
}

/** Runs all checks, once however many requests ask at the same time. */
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
      // Without tables nothing can be written yet, which `migrations` reports.
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

/** How long the result of a test write is used again. */
const SUCCESS_VALID_MS = 5_000;
const FAILURE_VALID_MS = 1_000;
/** A flush that has failed for this long counts as a failed write. */
const LONGEST_FLUSH_FAILURE_MS = 3_000;

/** Whether the database can be written: by its last flush of uses, or else by a test write from time to time. */
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

/** Whether the first start has created the owner; once it has, the database is not asked again. */
function ownerCheck(db: Db): () => Promise<boolean> {
  let ready = false;
  return async () => (ready ||= await hasAnyUser(db).catch(() => false));
}

/** Shares one result among all who ask while it is being found. */
function oncePerRound<T>(ask: () => Promise<T>): () => Promise<T> {
  let asking: Promise<T> | undefined;
  return () =>
    (asking ??= ask().finally(() => {
      asking = undefined;
    }));
}
