import { v7 } from 'uuid';

/** A new id: a UUIDv7, so that rows made one after another lie beside each other in their index. */
export function newId(): string {
  return v7();
}

const SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text could be an id of ours; anything else need not be looked for. */
export function isId(text: string): boolean {
  return SHAPE.test(text);
}
