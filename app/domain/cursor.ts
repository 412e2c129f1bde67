import { createHash } from 'node:crypto';

/** The last row of a page: the next page goes on right behind it. */
export interface Position {
  readonly at: number;
  readonly id: string;
}

const POSITION = /^(?<at>0|[1-9]\d{0,15})\.(?<id>[\x21-\x7e]{1,64})$/;
const DIGEST_BYTES = 9;

/**
 * Writes a position as opaque text that only reads back under the same binding: the tenant and the filter it belongs
 * to. The digest is no signature, since every query names its tenant itself; it keeps a page from silently going on in
 * another list.
 */
export function encodeCursor({ at, id }: Position, binding: string): string {
  const position = `${at}.${id}`;
  if (readPosition(position)?.at !== at) throw new RangeError('not a position that a cursor can hold');
  return Buffer.concat([digest(position, binding), Buffer.from(position, 'latin1')]).toString('base64url');
}

/** Reads a cursor made under this binding; undefined for any other text, never an exception. */
export function decodeCursor(text: string, binding: string): Position | undefined {
  const bytes = Buffer.from(text, 'base64url');
  // Node skips what is not base64url, so only text that comes back unchanged was a cursor.
  if (bytes.toString('base64url') !== text) return undefined;
  const position = bytes.toString('latin1', DIGEST_BYTES);
  if (!digest(position, binding).equals(bytes.subarray(0, DIGEST_BYTES))) return undefined;
  return readPosition(position);
}

function readPosition(text: string): Position | undefined {
  const { at, id } = POSITION.exec(text)?.groups ?? {};
  return id !== undefined && Number.isSafeInteger(Number(at)) ? { at: Number(at), id } : undefined;
}

function digest(position: string, binding: string): Buffer {
  return createHash('sha256').update(`${position}\0${binding}`).digest().subarray(0, DIGEST_BYTES);
}
