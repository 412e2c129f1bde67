import { iso } from '../../app/domain/times.ts';
import type { JsonColumn } from './jsonRows.ts';

/** How a value is kept in a column: `Stored` is what the database has, `Value` what the rest of the code has of it. */
export interface ColumnType<Stored, Value = Stored> {
  /** What the column is where many rows are written from JSON. */
  json: JsonColumn;
  /** The stored value where a row is read as texts, in which null is the empty one. */
  fromText(text: string): Stored;
  read(stored: Stored): Value;
  write(value: Value): Stored;
  /** The value as the audit log and answers have it. */
  shown(value: Value): unknown;
}

const same = <Value>(value: Value): Value => value;

/** A text that is one of a few, or any where none are named. */
export function text<Value extends string = string>(): ColumnType<Value> {
  return { json: 'longtext', fromText: (given) => given as Value, read: same, write: same, shown: same };
}

export const number: ColumnType<number> = { json: 'bigint', fromText: Number, read: same, write: same, shown: same };

/** Milliseconds since 1970, shown as ISO 8601. */
export const moment: ColumnType<number> = { ...number, shown: (value) => iso(value) };

export function json<Value>(): ColumnType<string, Value> {
  return {
    json: 'longtext',
    fromText: same,
    read: (stored) => JSON.parse(stored) as Value,
    write: JSON.stringify,
    shown: same,
  };
}

/** The same where null is a value of its own. */
export function orNull<Stored, Value>(type: ColumnType<Stored, Value>): ColumnType<Stored | null, Value | null> {
  return {
    json: type.json,
    fromText: (given) => (given === '' ? null : type.fromText(given)),
    read: (stored) => (stored === null ? null : type.read(stored)),
    write: (value) => (value === null ? null : type.write(value)),
    shown: (value) => (value === null ? null : type.shown(value)),
  };
}

/** A list in JSON; the empty one is null. */
export function listOrNull<Item>(): ColumnType<string | null, readonly Item[]> {
  const list = json<readonly Item[]>();
  return {
    json: list.json,
    fromText: (given) => (given === '' ? null : given),
    read: (stored) => (stored === null ? [] : list.read(stored)),
    write: (value) => (value.length === 0 ? null : list.write(value)),
    shown: same,
  };
}
