import type { Db } from '../../connection/connect.ts';

/** How many rotations one query follows: MySQL refuses a query that goes further than a thousand. */
const MOST_STEPS = 500;

/** The column of a key that leads to the one that replaced it. */
type Link = 'successor_key_id';

/** The id of the last key of the rotations that went on from this one: its own where nothing took its place. */
export async function findLastSuccessor(db: Db, tenantId: string, id: string): Promise<string> {
  return (await idsAlong(db, tenantId, id, 'successor_key_id')).at(-1) ?? id;
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
