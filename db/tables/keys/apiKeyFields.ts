import type { Metadata } from '../../../app/domain/metadata.ts';
import type { Rate } from '../../../app/domain/rate.ts';
import type { Environment } from '../../../app/domain/token.ts';
import { json, listOrNull, moment, number, orNull, text, type ColumnType } from '../../sql/columnTypes.ts';

/**
 * When a field gets its value: what is `chosen` is given at creation, changed by whoever manages the key, audited, shown,
 * and copied at rotation; `fixed` is set once; `state` follows from what is done with the key; `use` from its requests.
 */
export type FieldKind = 'chosen' | 'fixed' | 'state' | 'use';

/** A field of a key: the columns it is kept in, and how it is read from them and written to them. */
interface Field<Kind extends FieldKind, Row, Value> {
  kind: Kind;
  columns: { readonly [Name in keyof Row]: ColumnType<Row[Name], unknown> };
  read(row: Row): Value;
  write(value: Value): Row;
  shown(value: Value): unknown;
}

/** Every field of a key but its hash: query, types, insert and update follow from this, and so do lookup and audit. */
export const KEY_FIELDS = {
  id: field('fixed', 'id', text()),
  tenantId: field('fixed', 'tenant_id', text()),
  /** The person it belongs to; null for a service token of the tenant. */
  userId: field('fixed', 'user_id', orNull(text())),
  keyPrefix: field('fixed', 'key_prefix', text()),
  lastFour: field('fixed', 'last_four', text()),
  name: field('chosen', 'name', text()),
  description: field('chosen', 'description', orNull(text())),
  environment: field('fixed', 'environment', text<Environment>()),
  scopes: field('chosen', 'scopes', json<readonly string[]>()),
  expiresAt: field('chosen', 'expires_at', orNull(moment)),
  /** Empty means anywhere. */
  allowedIps: field('chosen', 'allowed_ips', listOrNull<string>()),
  rateLimit: rateField('chosen', 'rate_limit', 'rate_window_seconds'),
  monthlyQuota: field('chosen', 'monthly_quota', orNull(number)),
  externalId: field('chosen', 'external_id', orNull(text())),
  metadata: field('chosen', 'metadata', json<Metadata>()),
  /** The marketplace app it was issued to. */
  app: field('fixed', 'app', orNull(text())),
  /** When it was imported; null for a key that was issued here. */
  importedAt: field('fixed', 'imported_at', orNull(moment)),
  graceEndsAt: field('state', 'grace_ends_at', orNull(moment)),
  previousKeyId: field('fixed', 'previous_key_id', orNull(text())),
  successorKeyId: field('state', 'successor_key_id', orNull(text())),
  createdBy: field('fixed', 'created_by', orNull(text())),
  createdAt: field('fixed', 'created_at', moment),
  updatedAt: field('state', 'updated_at', moment),
  lastUsedAt: field('use', 'last_used_at', orNull(moment)),
  lastUsedIp: field('use', 'last_used_ip', orNull(text())),
  revokedAt: field('state', 'revoked_at', orNull(moment)),
  revokedBy: field('state', 'revoked_by', orNull(text())),
  revokeReason: field('state', 'revoke_reason', orNull(text())),
  pausedAt: field('state', 'paused_at', orNull(moment)),
  pausedBy: field('state', 'paused_by', orNull(text())),
  pauseReason: field('state', 'pause_reason', orNull(text())),
  /** When its text was first reported to be somewhere it should not be. */
  leakReportedAt: field('state', 'leak_reported_at', orNull(moment)),
};

type Fields = typeof KEY_FIELDS;
type FieldName = keyof Fields;
type ValueOf<One> = One extends { read(row: never): infer Value } ? Value : never;
type RowOf<One> = One extends { write(value: never): infer Row } ? Row : never;
type AllOf<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

/** A key as it is stored, but for its hash, which nobody has to see. */
export type ApiKey = { [Name in FieldName]: ValueOf<Fields[Name]> };

/** The fields that people choose, at creation and later. */
export type ChosenField = { [Name in FieldName]: Fields[Name]['kind'] extends 'chosen' ? Name : never }[FieldName];

type KeyColumns = AllOf<RowOf<Fields[FieldName]>>;
/** A key as its table has it, but for its hash. */
export type KeyRow = { [Name in keyof KeyColumns]: KeyColumns[Name] };

const FIELDS = Object.entries(KEY_FIELDS) as [FieldName, Field<FieldKind, object, unknown>][];

/** How each column is kept. */
export const KEY_COLUMN_TYPES = Object.assign({}, ...FIELDS.map(([, { columns }]) => columns)) as {
  [Name in keyof KeyRow]: ColumnType<KeyRow[Name], unknown>;
};

/** The names of all columns but that of the hash. */
export const KEY_COLUMNS = Object.keys(KEY_COLUMN_TYPES) as (keyof KeyRow)[];

/** The fields that people choose. */
export const CHOSEN_FIELDS = fieldsThat('chosen') as ChosenField[];

/** A key as the rest of the code knows it. */
export function keyFromRow(row: KeyRow): ApiKey {
  return Object.fromEntries(FIELDS.map(([name, one]) => [name, one.read(row)])) as ApiKey;
}

/** A new key as its table has it. */
export function rowOfKey(key: ApiKey): KeyRow {
  return columnsOf(key, FIELDS) as KeyRow;
}

/** The columns of a key that may change, but for those of its uses. */
export function changeableColumns(key: ApiKey): Partial<KeyRow> {
  return columnsOf(key, CHANGEABLE);
}

/** These fields of a key as the audit log has them. */
export function shownFields(key: ApiKey, names: readonly FieldName[]): Record<string, unknown> {
  const shown = (name: FieldName) => (KEY_FIELDS[name] as Field<FieldKind, object, unknown>).shown(key[name]);
  return Object.fromEntries(names.map((name) => [name, shown(name)]));
}

const CHANGEABLE = FIELDS.filter(([, { kind }]) => kind === 'chosen' || kind === 'state');

function columnsOf(key: ApiKey, fields: typeof FIELDS): Partial<KeyRow> {
  return Object.assign({}, ...fields.map(([name, one]) => one.write(key[name]))) as Partial<KeyRow>;
}

function fieldsThat(kind: FieldKind): FieldName[] {
  return FIELDS.filter(([, one]) => one.kind === kind).map(([name]) => name);
}

/** A field in one column. */
function field<Kind extends FieldKind, Name extends string, Stored, Value>(
  kind: Kind,
  name: Name,
  type: ColumnType<Stored, Value>,
): Field<Kind, Record<Name, Stored>, Value> {
  return {
    kind,
    columns: { [name]: type } as unknown as Record<Name, ColumnType<Stored, unknown>>,
    read: (row) => type.read(row[name]),
    write: (value) => ({ [name]: type.write(value) }) as Record<Name, Stored>,
    shown: (value) => type.shown(value),
  };
}

/** A rate in two columns, which are both null where there is none. */
function rateField<Kind extends FieldKind, Limit extends string, Window extends string>(
  kind: Kind,
  limitColumn: Limit,
  windowColumn: Window,
): Field<Kind, Record<Limit | Window, number | null>, Rate | null> {
  type Row = Record<Limit | Window, number | null>;
  const columns = { [limitColumn]: orNull(number), [windowColumn]: orNull(number) };
  return {
    kind,
    columns: columns as Record<Limit | Window, ColumnType<number | null>>,
    read: ({ [limitColumn]: limit, [windowColumn]: windowSeconds }: Row) =>
      limit === null || windowSeconds === null ? null : { limit, windowSeconds },
    write: (rate) => ({ [limitColumn]: rate?.limit ?? null, [windowColumn]: rate?.windowSeconds ?? null }) as Row,
    shown: (rate) => rate,
  };
}
