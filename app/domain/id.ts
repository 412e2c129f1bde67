import { randomInt } from 'node:crypto';
import { v7 } from 'uuid';

/** Counts on between ids of one moment, so that they sort in the order they were made. */
let counter = randomInt(2 ** 31);

/**
 * A new id: a UUIDv7, so that rows made one after another lie beside each other in their index. It begins with the
 * moment it is made, or with the one that is given, where something later tells a row's age by its id.
 */
export function newId(at?: number): string {
  return at === undefined ? v7() : v7({ msecs: at, seq: counter++ % 2 ** 32 });
}

const SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text has the form of an id; other text need not be looked up. */
export function isId(text: string): boolean {
  return SHAPE.test(text);
}
