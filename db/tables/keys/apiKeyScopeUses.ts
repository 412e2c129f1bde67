import { isSqlite, type RawDb } from '../../connection/rawDb.ts';
import { compareIds } from '../../sql/compareIds.ts';
import { writeRows } from '../../sql/jsonRows.ts';

/** The last day on which requests of a key asked for a scope. */
export interface KeyScopeUse {
  keyId: string;
  tenantId: string;
  scope: string;
  /** The day's first moment. */
  day: number;
}

const TABLE = 'api_key_scope_uses';
const COLUMNS = { key_id: 'varchar(255)', scope: 'varchar(255)', day: 'bigint', tenant_id: 'varchar(255)' } as const;

/** Notes on which day scopes were last used; a day older than the one already noted changes nothing. */
export async function noteScopeUses(db: RawDb, uses: readonly KeyScopeUse[]): Promise<void> {
  const columns = Object.keys(COLUMNS).join(', ');
  // In the order of the primary key, so that two processes never wait for each other crosswise.
  const rows = uses
    .map(({ keyId, scope, day, tenantId }) => ({ key_id: keyId, scope, day, tenant_id: tenantId }))
    .sort((a, b) => compareIds(a.key_id, b.key_id) || compareIds(a.scope, b.scope));
  await writeRows(db, COLUMNS, rows, (from) => {
    const insert = `insert into ${TABLE} (${columns}) select ${columns} from ${from}`;
    return isSqlite(db)
      ? `${insert} where true on conflict (key_id, scope) do update set day = max(${TABLE}.day, excluded.day)`
      : `${insert} on duplicate key update day = greatest(${TABLE}.day, j.day)`;
  });
}
