import { z } from 'zod';
import type { StoredRecord } from '../../../db/tables/product/records.ts';
import type { Fields, Resource } from '../../domain/resources.ts';
import { iso } from '../../domain/times.ts';

/** A record as its own resource shows it. */
export function recordAnswer({ name, kept }: Resource) {
  return z
    .strictObject({
      id: z.string(),
      ...kept,
      createdBy: z.string().nullable(),
      createdWith: z.string().nullable(),
      createdAt: z.iso.datetime(),
      updatedAt: z.iso.datetime(),
    })
    .meta({ id: `${name.charAt(0).toUpperCase()}${name.slice(1)}Record` });
}

export function recordListAnswer(resource: Resource) {
  return z.strictObject({ data: z.array(recordAnswer(resource)), nextCursor: z.string().nullable() });
}

export const DeletedAnswer = z.strictObject({ id: z.string(), deleted: z.literal(true) });

/** The fields that the resource has today, whatever the record was stored with. */
export function presentRecord({ kept, defaults }: Resource, record: StoredRecord): Fields {
  const { id, data, createdBy, createdWith, createdAt, updatedAt } = record;
  const fields: Fields = Object.fromEntries(Object.keys(kept).map((field) => [field, data[field] ?? defaults[field]]));
  return { id, ...fields, createdBy, createdWith, createdAt: iso(createdAt), updatedAt: iso(updatedAt) };
}

export function presentDeleted(id: string): z.output<typeof DeletedAnswer> {
  return { id, deleted: true };
}
