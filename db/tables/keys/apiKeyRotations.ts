import type { Db } from '../../connection/connect.ts';
import { KEY_COLUMNS, keyFromRow, type ApiKey } from './apiKeyFields.ts';
import { matching } from './apiKeyFilter.ts';

/** How many rotations one query follows: MySQL refuses a query that goes further than a thousand. */
const MOST_STEPS = 500;

/** The column of a key that leads to the one it replaced, or to the one that replaced it. */
type Link = 'previous_key_id' | 'successor_key_id';

/** The id of the last key of the rotations that went on from this one: its own where nothing took its place. */
export async function findLastSuccessor(db: Db, tenantId: string, id: string): Promise<string> {
  return (await idsAlong(db, tenantId, id, 'successor_key_id')).at(-1) ?? id;
}

/** The keys of the same rotations that work at a moment, the latest first. */
export interface RelatedKeys {
  /** Keys that this one replaced, each until its grace ends. */
  older: ApiKey[];
  /** Keys that replaced this one. */
  newer: ApiKey[];
}

/** Finds the keys that work beside this one because a rotation of it, or one that made it, left them so. */
export async function findRelatedKeys(
  db: Db,
  { tenantId, id, previousKeyId, successorKeyId }: ApiKey,
  now: number,
): Promise<RelatedKeys> {
  const older = previousKeyId === null ? [] : await idsAlong(db, tenantId, id, 'previous_key_id');
  const newer = successorKeyId === null ? [] : await idsAlong(db, tenantId, id, 'successor_key_id');
  const ids = [...older, ...newer];
  if (ids.length === 0) return { older: [], newer: [] };
  const rows = await matching(db, tenantId, { ids, statuses: ['active', 'rotating'], now }).select(KEY_COLUMNS);
  const working = new Map(rows.map((row) => [row.id, keyFromRow(row)]));
  return {
    older: older.flatMap((one) => working.get(one) ?? []),
    newer: newer.reverse().flatMap((one) => working.get(one) ?? []),
  };
}

/** The ids of the keys that a link leads to, from each key to the next. */
async function idsAlong(db: Db, tenantId: string, id: string, link: Link): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const found = await nextIdsAlong(db, tenantId, ids.at(-1) ?? id, link);
    ids.push(...found);
    if (found.length < MOST_STEPS) return ids;
  }
}

async function nextIdsAlong(db: Db, tenantId: string, id: string, link: Link): Promise<string[]> {
  const rows = await db
    .withRecursive('line', ['id', 'next_id', 'steps'], (line) => {
      void line
        .select('id', link, db.raw('0'))
        .from('api_keys')
        .where({ tenant_id: tenantId, id })
        .unionAll((next) => {
          void next
            .select('k.id', `k.${link}`, db.raw('line.steps + 1'))
            .from('line')
            .join('api_keys as k', 'k.id', 'line.next_id')
            .where('k.tenant_id', tenantId)
            .where('line.steps', '<', MOST_STEPS);
        });
    })
    .from('line')
    .where('steps', '>', 0)
    .orderBy('steps')
    .select<{ id: string }[]>('id');
  return rows.map((row) => row.id);
}
