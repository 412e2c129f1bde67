import type { Arbitrary } from 'fast-check';
import fc from './properties.ts';

/** What our own inputs use of JSON Schema. */
export interface Schema {
  type?: 'string' | 'integer' | 'boolean' | 'array' | 'object' | 'null';
  enum?: readonly unknown[];
  anyOf?: readonly Schema[];
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: unknown;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
}

/** A value with one fault in it, and where that is. */
export interface Broken {
  value: unknown;
  path: string[];
}

/** Values that the schema allows, as they look once they are kept: trimmed, composed, in lower case. */
export function valid(schema: Schema): Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(valid));
  switch (schema.type) {
    case 'string':
      return validString(schema);
    case 'integer':
      return fc.integer({
        min: schema.minimum ?? Number.MIN_SAFE_INTEGER,
        max: schema.maximum ?? Number.MAX_SAFE_INTEGER,
      });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(valid(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 4, Math.max(4, schema.minItems ?? 0)),
      });
    case 'object':
      return validObject(schema);
    default:
      // JSON has one zero.
      return fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  }
}

function validObject({ properties = {}, required = [] }: Schema): Arbitrary<Record<string, unknown>> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valid(schema)]));
  return fc.record(fields, { requiredKeys: [...required] });
}

const LAST_DAY = new Date('9999-12-30T00:00:00Z');
const moments = fc.date({ min: new Date('0001-01-02T00:00:00Z'), max: LAST_DAY, noInvalidDate: true });

const FORMATS: Record<string, Arbitrary<string>> = {
  date: moments.map((moment) => moment.toISOString().slice(0, 10)),
  'date-time': moments.map((moment) => moment.toISOString()),
  email: fc.emailAddress().map((email) => email.toLowerCase()),
  uuid: fc.uuid(),
  uri: fc.webUrl({ validSchemes: ['https'] }),
};

function validString({ format, pattern, minLength = 0, maxLength = 40 }: Schema): Arbitrary<string> {
  const formatted = format === undefined ? undefined : FORMATS[format];
  if (formatted) return formatted;
  // What is merely printable is that anyway.
  if (pattern !== undefined && !pattern.includes('\\p')) return matching(pattern);
  const most = Math.min(maxLength, 40);
  return fc
    .string({ unit: 'grapheme', minLength, maxLength: most })
    .map((text) => text.normalize('NFC').trim())
    .filter(
      (text) =>
        /(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{N}]/u.test(text) &&
        !/[\p{C}\p{Zl}\p{Zp}]/u.test(text) &&
        Array.from(text).length <= most,
    );
}

/** Made once each, since that takes long. */
const matched = new Map<string, Arbitrary<string>>();

function matching(pattern: string): Arbitrary<string> {
  const known = matched.get(pattern) ?? fc.stringMatching(new RegExp(pattern));
  matched.set(pattern, known);
  return known;
}

/** Values that the schema would allow but for one fault. */
export function broken(schema: Schema): Arbitrary<Broken> {
  if (schema.enum) return faults('no such word', 7, [], {});
  if (schema.anyOf) return broken(schema.anyOf.find(({ type }) => type !== 'null') ?? {});
  switch (schema.type) {
    case 'string':
      return brokenString(schema);
    case 'integer':
      return brokenInteger(schema);
    case 'boolean':
      return faults('true', 1, {});
    case 'array':
      return brokenArray(schema);
    case 'object':
      return brokenObject(schema);
    default:
      throw new Error('anything would be valid here');
  }
}

function brokenString({ format, pattern, minLength = 0, maxLength }: Schema): Arbitrary<Broken> {
  const isShaped = format !== undefined || pattern !== undefined;
  const long = isShaped ? [`${'x'.repeat(5000)}!`] : maxLength === undefined ? [] : ['x'.repeat(maxLength + 1)];
  // A text of nothing, of blanks, of what cannot be seen, of what turns lines and directions, of half a character.
  const empty = minLength > 0 || isShaped ? ['', ' \n ', '\u200b'] : [];
  return faults(7, true, {}, ['x'], 'x\u0000y', 'x\u001by', 'x\u202ey', 'x\ud800y', ...empty, ...long);
}

function brokenInteger({ minimum, maximum }: Schema): Arbitrary<Broken> {
  const beyond = [minimum === undefined ? 0.5 : minimum - 1, maximum === undefined ? 0.5 : maximum + 1];
  return faults(1.5, 1e300, '5', true, {}, [5], ...beyond);
}

function brokenArray({ items = {}, maxItems }: Schema): Arbitrary<Broken> {
  const inItem = broken(items).map(({ value, path }) => ({ value: [value], path: ['0', ...path] }));
  if (maxItems === undefined) return fc.oneof(inItem, faults('x', 7, {}));
  const tooMany = fc
    .array(valid(items), { minLength: 1, maxLength: 1 })
    .map(([item]) => ({ value: Array<unknown>(maxItems + 1).fill(item), path: [] }));
  return fc.oneof(inItem, tooMany, faults('x', 7, {}));
}

const SURPLUS = ['tenantId', 'createdBy', 'constructor', '__proto__'];

function brokenObject(schema: Schema): Arbitrary<Broken> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const inField = Object.entries(properties)
    .filter(([, field]) => Object.keys(field).some((word) => word !== 'default'))
    .map(([name, field]) =>
      fc
        .tuple(validObject(schema), broken(field))
        .map(([whole, { value, path }]) => ({ value: { ...whole, [name]: value }, path: [name, ...path] })),
    );
  const without = required.map((name) =>
    validObject(schema).map((whole) => ({ value: { ...whole, [name]: undefined }, path: [name] })),
  );
  const surplus = (additionalProperties === false ? SURPLUS : []).map((name) =>
    validObject(schema).map((whole) => ({ value: withField(whole, name), path: [name] })),
  );
  return fc.oneof(...inField, ...without, ...surplus, faults('x', 7, true, [], [{}]));
}

/** As JSON would make it: even `__proto__` is a field then. */
function withField(whole: object, name: string): unknown {
  return JSON.parse(JSON.stringify(whole).replace(/}$/, `${Object.keys(whole).length > 0 ? ',' : ''}"${name}":{}}`));
}

function faults(...values: unknown[]): Arbitrary<Broken> {
  return fc.constantFrom(...values).map((value) => ({ value, path: [] }));
}
