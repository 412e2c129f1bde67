import type { Knex } from 'knex';
import { joinInOrder, strictlyAlong } from '../along.ts';
import { isSqlite, transaction, type Db } from '../connect.ts';
import { jsonRows } from '../jsonRows.ts';
import { LIKE, literal } from '../like.ts';
import { mayBeOfKey, whereMatching, wherePrefix, whereText, type KeyFilter } from './apiKeyFilter.ts';
import { BY_CHANGE, byId, BY_PREFIX } from './apiKeyIndexes.ts';
import type { Row } from './apiKeyRow.ts';

type Part = { tenant_id: string; part: string; key_id: string; place: number };
type Mark = { tenant_id: string; until: number; key_id: string };

const TABLE = 'api_key_parts';
const COLUMNS = { part: 'varchar(255)', key_id: 'varchar(255)', place: 'bigint' } as const;
const LENGTH = 8;
/** Where the parts of the external id begin; a name never comes so far. */
const SECOND = 1_000;
const STEP = 200;

/**
 * The ids of all keys of a tenant that have a text in what is searched, and of some that had it, where they are no more
 * than `most`; undefined too where the tenant is too small to have its parts indexed.
 */
export async function keysWithText(
  db: Db,
  tenantId: string,
  text: string,
  most: number,
): Promise<readonly string[] | undefined> {
  const until = await indexedUntil(db, tenantId);
  if (until === undefined) return undefined;
  for (const part of new Set([partOf(text, 0), partOf(text, -LENGTH)])) {
    const waysIn = [
      whereBegins(db, table(db), tenantId, part).distinct({ id: 'key_id' }),
      changedSince(db, tenantId, until)
        .where((row) => whereText(row, text))
        .select('id'),
      ...(mayBeOfKey(text) ? waysByKey(db, tenantId, text).map((rows) => rows.select('id')) : []),
    ];
    const limited = waysIn.map((rows) => db.from(rows.limit(most + 1).as('some')).select('id'));
    const found = (await db.union(limited)) as { id: string }[];
    if (found.length <= most) return found.map(({ id }) => id);
  }
  return undefined;
}

/** The keys that fit a filter with a text, up to `most`, each once; undefined where the tenant has no index of parts. */
export async function foundByParts(
  db: Db,
  tenantId: string,
  filter: KeyFilter,
  most: number,
): Promise<{ rows: Knex.QueryBuilder } | undefined> {
  const { text = '' } = filter;
  const until = await indexedUntil(db, tenantId);
  if (until === undefined) return undefined;
  const parts = db<Row>(db.raw(`${TABLE} as parts ${joinInOrder(db)} api_keys on api_keys.id = parts.key_id`));
  const waysIn: Knex.QueryBuilder<Row, Row[]>[] = [
    whereBegins(db, parts, tenantId, partOf(text, 0), 'parts.'),
    changedSince(db, tenantId, until),
    ...(mayBeOfKey(text) ? waysByKey(db, tenantId, text) : []),
  ];
  const limited = waysIn.map((rows) =>
    db.from(whereMatching(rows, tenantId, filter).distinct('api_keys.id').limit(most).as('some')).select('id'),
  );
  return { rows: db.from(db.union(limited).as('found')).select('id') };
}

/** Indexes a step further what a tenant's keys changed by `to` are searched by; false once it has come there. */
export async function indexFurther(db: Db, tenantId: string, to: number): Promise<boolean> {
  return transaction(db, async (trx) => {
    const mark = await marks(trx).where({ tenant_id: tenantId }).forUpdate().first();
    const { until = 0, key_id = '' } = mark ?? {};
    if (until > to) return false;
    const keys = await changedBetween(trx, tenantId, { until, key_id }, to);
    await insertParts(trx, tenantId, keys);
    const last = keys.length < STEP ? undefined : keys.at(-1);
    const next = { until: last?.updated_at ?? to + 1, key_id: last?.id ?? '' };
    if (mark) await marks(trx).where({ tenant_id: tenantId }).update(next);
    else await marks(trx).insert({ tenant_id: tenantId, ...next });
    return last !== undefined;
  });
}

type Searched = Pick<Row, 'id' | 'name' | 'external_id' | 'updated_at'>;

/** A step of keys in the order of their changes: first the rest of those changed at the same moment. */
async function changedBetween(
  trx: Db,
  tenantId: string,
  { until, key_id }: Pick<Mark, 'until' | 'key_id'>,
  to: number,
): Promise<Searched[]> {
  const changed = async (rows: Knex.QueryBuilder<Row, Row[]>, limit: number): Promise<Searched[]> =>
    rows.orderBy('updated_at').orderBy('id').limit(limit).select('id', 'name', 'external_id', 'updated_at');
  const own = () => changes(trx, tenantId);
  const same = await changed(own().where({ updated_at: until }).where('id', '>', key_id), STEP);
  const later = own().where('updated_at', '>', until).where('updated_at', '<=', to);
  return same.length === STEP ? same : [...same, ...(await changed(later, STEP - same.length))];
}

/** A part stays when its key gets another name: whoever finds the key by it looks at the name. */
async function insertParts(trx: Db, tenantId: string, keys: readonly Pick<Row, 'id' | 'name' | 'external_id'>[]) {
  const parts = keys.flatMap(({ id, name, external_id }) => [
    ...partsOf(name).map((part, place) => ({ part, key_id: id, place })),
    ...partsOf(external_id ?? '').map((part, place) => ({ part, key_id: id, place: SECOND + place })),
  ]);
  if (parts.length === 0) return;
  const { from, value } = jsonRows(trx, COLUMNS, parts);
  const insert = `insert into ${TABLE} (tenant_id, part, key_id, place) select ?, part, key_id, place from ${from}`;
  const known = isSqlite(trx) ? 'where true on conflict do nothing' : `on duplicate key update place = ${TABLE}.place`;
  await trx.raw(`${insert} ${known}`, [tenantId, value]);
}

async function indexedUntil(db: Db, tenantId: string): Promise<number | undefined> {
  return (await marks(db).where({ tenant_id: tenantId }).first('until'))?.until;
}

function changedSince(db: Db, tenantId: string, from: number): Knex.QueryBuilder<Row, Row[]> {
  return changes(db, tenantId).where('updated_at', '>=', from);
}

function changes(db: Db, tenantId: string): Knex.QueryBuilder<Row, Row[]> {
  return db<Row>(strictlyAlong(db, 'api_keys', BY_CHANGE)).where({ tenant_id: tenantId });
}

/** The ways to keys by what they are themselves: the beginning of their prefix, and their id. */
function waysByKey(db: Db, tenantId: string, text: string): Knex.QueryBuilder<Row, Row[]>[] {
  const byPrefix = db<Row>(strictlyAlong(db, 'api_keys', BY_PREFIX)).where((row) => wherePrefix(row, text));
  const byItself = db<Row>(strictlyAlong(db, 'api_keys', byId(db))).where({ id: text });
  return [byPrefix, byItself].map((rows) => rows.where('api_keys.tenant_id', tenantId));
}

/** SQLite is not led by an index for a `like` whose case is its own. */
function whereBegins<T extends Knex.QueryBuilder>(db: Db, rows: T, tenantId: string, part: string, of = ''): T {
  void rows.where({ [`${of}tenant_id`]: tenantId });
  void (isSqlite(db)
    ? rows.where(`${of}part`, '>=', part).where(`${of}part`, '<', `${part}\u{10ffff}`)
    : rows.whereRaw(`${of}part ${LIKE}`, [`${literal(part)}%`]));
  return rows;
}

/** The characters from each place of a text on. */
function partsOf(text: string): string[] {
  const characters = Array.from(text);
  return characters.map((_, place) => characters.slice(place, place + LENGTH).join(''));
}

function partOf(text: string, from: number): string {
  return Array.from(text).slice(from).slice(0, LENGTH).join('');
}

function marks(db: Db) {
  return db<Mark>('api_key_part_marks');
}

function table(db: Db) {
  return db<Part>(TABLE);
}
