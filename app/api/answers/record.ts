import { z } from 'zod';
import type { StoredRecord } from '../../../db/tables/product/records.ts';
import { currentFields, type Fields, type Resource } from '../../domain/resources.ts';
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

export function presentRecord(resource: Resource, record: StoredRecord): Fields {
  const { id, data, createdBy, createdWith, createdAt, updatedAt } = record;
  return {
    id,
    ...currentFields(resource, data),
    createdBy,
    createdWith,
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
  };
}

export function presentDeleted(id: string): z.output<typeof DeletedAnswer> {
  return { id, deleted: true };
}
