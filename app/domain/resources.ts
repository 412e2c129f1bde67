import { z } from 'zod';
import { Email } from './email.ts';
import { Code, Count, Day, EventName, HttpsUrl, Id, MediaType, Moment, OneOf, optional, Price } from './fields.ts';
import { FreeText, Name } from './text.ts';

const code = optional(Code);
const line = optional(Name);
const text = optional(FreeText(2000));
const items = z.array(z.strictObject({ name: Name, quantity: Count.min(1), price: Price })).max(100);

/**
 * The ordinary resources. A line here is all that a new one takes: its routes and their scopes, its place in the
 * catalogue of scopes and in the documents follow from it. Its list is searched by name and filtered by `status`, where
 * there is one, and by the field that is named behind the others.
 */
const LINES = {
  projects: of({ name: Name, description: text, status: OneOf('active', 'planned', 'done'), dueOn: optional(Day) }),
  inventory: of({ name: Name, sku: code, quantity: Count.default(0), location: line }, 'sku'),
  products: of(
    { name: Name, description: text, sku: code, price: optional(Price), status: OneOf('active', 'draft') },
    'sku',
  ),
  orders: of(
    {
      name: Name,
      customerId: optional(Id),
      items: items.default([]),
      total: optional(Price),
      status: OneOf('open', 'paid', 'shipped', 'cancelled'),
    },
    'customerId',
  ),
  customers: of({ name: Name, email: optional(Email), phone: line, company: line, notes: text }, 'email'),
  files: of(
    { name: Name, mediaType: optional(MediaType), size: Count.default(0), url: optional(HttpsUrl) },
    'mediaType',
  ),
  notifications: of(
    { name: Name, message: text, level: OneOf('info', 'warning', 'error'), status: OneOf('unread', 'read') },
    'level',
  ),
  activity: of({ name: Name, description: text, kind: code, occurredAt: optional(Moment) }, 'kind'),
  webhooks: of({
    name: Name,
    url: HttpsUrl,
    events: z.array(EventName).max(50).default(['*']),
    status: OneOf('active', 'paused'),
  }),
  modules: of({ name: Name, description: text, version: code, status: OneOf('enabled', 'disabled') }),
  development: of(
    {
      name: Name,
      description: text,
      priority: OneOf('normal', 'low', 'high'),
      status: OneOf('open', 'started', 'done'),
    },
    'priority',
  ),
  dashboard: of(
    { name: Name, kind: OneOf('number', 'chart', 'table', 'text'), position: Count.default(0), source: line },
    'kind',
  ),
  docs: of({ name: Name, content: optional(FreeText(20_000)), status: OneOf('draft', 'published') }),
};

/** The fields of a record by their names, as they are kept and shown: every one of them is stated. */
export type Fields = Readonly<Record<string, unknown>>;

/** The fields by which a record is found: a part of the name, or the exact value of the other two. */
export interface RecordSearchValues {
  name: string;
  status: string | null;
  reference: string | null;
}

/** A resource: the schema of its records and how they are stored and found. */
export interface Resource {
  name: string;
  /** A record to be made; what it leaves out takes its default. */
  New: z.ZodType<Fields>;
  /** A change of a record: any of its fields. */
  Change: z.ZodType<Fields>;
  /** What each field is once it is kept. */
  kept: Readonly<Record<string, z.ZodType>>;
  /** What a field is in a record that is older than the field. */
  defaults: Fields;
  /** The field that lists are filtered by, beside `status`. */
  reference: string | undefined;
}

/** Every ordinary resource. */
export const RESOURCES: readonly Resource[] = Object.entries(LINES).map(([name, line]) => ({ name, ...line }));

type Shape = Readonly<Record<string, z.ZodType>> & { readonly name: typeof Name };

/** What a list finds a record by. */
export function recordSearchValues({ reference }: Resource, data: Fields): RecordSearchValues {
  const value = (field: string | undefined) => (field === undefined ? null : ((data[field] ?? null) as string | null));
  return { name: String(data['name']), status: value('status'), reference: value(reference) };
}

/** The fields that the resource has today, whatever the record was stored with. */
export function currentFields({ kept, defaults }: Resource, data: Fields): Fields {
  return Object.fromEntries(Object.keys(kept).map((field) => [field, data[field] ?? defaults[field]]));
}

function of<S extends Shape>(shape: S, reference?: keyof S & string): Omit<Resource, 'name'> {
  const fields = Object.entries(shape);
  const kept = Object.fromEntries(fields.map(([name, schema]) => [name, withoutDefault(schema)]));
  const withDefault = fields.filter(([, schema]) => schema instanceof z.ZodDefault);
  return {
    New: z.strictObject(shape),
    Change: z.strictObject(kept).partial(),
    kept,
    defaults: Object.fromEntries(withDefault.map(([name, schema]) => [name, schema.parse(undefined)])),
    reference,
  };
}

function withoutDefault(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : schema;
}
