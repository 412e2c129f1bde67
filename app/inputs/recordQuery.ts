import { z } from 'zod';
import type { RecordFilter } from '../../db/tables/product/records.ts';
import type { Resource } from '../domain/resources.ts';
import { PAGE } from '../http/paging.ts';
import { SearchText } from '../http/queryValues.ts';

/** Which records of a resource to list: by a part of the name, by status, by the field it names as its reference. */
export function recordQuery({ kept, reference }: Resource): z.ZodType<PageOfRecords> {
  const values = Object.entries(kept).filter(([field]) => field === 'status' || field === reference);
  const filters = Object.fromEntries(values.map(([field, schema]) => [field, valueOf(schema).optional()]));
  return z
    .strictObject({ ...PAGE, q: SearchText.optional(), ...filters })
    .transform(({ limit, cursor, q, ...others }) => {
      const sought: Readonly<Record<string, string | undefined>> = others;
      const filter = { text: q || undefined, status: sought['status'], reference: reference && sought[reference] };
      return { limit, cursor, filter };
    });
}

export interface PageOfRecords {
  limit: number;
  cursor: string | undefined;
  filter: RecordFilter;
}

function valueOf(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodNullable ? (schema.unwrap() as z.ZodType) : schema;
}
