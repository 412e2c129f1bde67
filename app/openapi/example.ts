import type { Json, Schemas } from './schemas.ts';

/** Examples of text fields by their names, if the schema has none. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  key: 'fsk_live_0123456789ABCDEFGHIJKLMNOPQRSTUV',
  keyPrefix: 'fsk_live_01234567',
  lastFour: 'STUV',
  name: 'Nightly export',
  description: 'Copies the figures of the day into the warehouse.',
  scopes: 'read',
  scope: 'invoices:read',
  neverUsed: 'members:read',
  externalId: 'customer-1042',
  email: 'ada@example.com',
  password: 'a long and quiet evening',
  token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
  slug: 'acme',
  ip: '203.0.113.7',
  ipAddress: '203.0.113.7',
  lastUsedIp: '203.0.113.7',
  allowedIps: '203.0.113.0/24',
  allowedNetworks: '203.0.113.0/24',
  userAgent: 'curl/8.5.0',
  method: 'GET',
  endpoint: '/api/v1/whoami',
  path: '/api/v1/whoami',
  routes: 'GET /api/v1/whoami',
  reason: 'No longer needed',
  reference: 'order-2041',
  action: 'API_KEY_CREATED',
  entity: 'api_key',
  plan: 'pro',
  subject: 'The nightly export stops',
  message: 'It ends at midnight, half-way through.',
  text: 'It ends at midnight, half-way through.',
  defaultScopes: 'read',
  mediaType: 'text/csv',
  currency: 'EUR',
  sku: 'TEA-250',
  kind: 'export',
  version: '1.4.2',
  events: 'key.revoked',
  location: 'Shelf 4',
  phone: '+33 1 70 18 99 00',
  company: 'Analytical Engines',
  notes: 'Prefers to be called in the morning.',
  content: 'The export runs every night.',
  nextCursor: 'c2VlIHRoZSBuZXh0IHBhZ2U',
  cursor: 'c2VlIHRoZSBuZXh0IHBhZ2U',
};

/** Numbers that say more than the least allowed. */
const NUMBERS: Readonly<Record<string, number>> = {
  limit: 20,
  windowSeconds: 60,
  monthlyQuota: 1_000_000,
  total: 1,
  page: 1,
  expiresIn: 3_600,
  statusCode: 200,
  status: 200,
  responseTimeMs: 4,
  averageMs: 4.2,
};

/** Fields that an ordinary object does not have. */
const ABSENT = new Set([
  'graceEndsAt',
  'revokedAt',
  'previousKeyId',
  'successorKeyId',
  'confirmedAt',
  'confirmedBy',
  'paymentUrl',
  'before',
  'totalIsAtLeast',
]);

const INSTANT = '2026-01-31T12:00:00.000Z';
const UUID = '0198c0de-7a11-7abc-8def-0123456789ab';

/** The least that can be sent under a schema, unless that has an example of its own. */
export function smallestExampleOf(schema: Json, schemas: Schemas): unknown {
  const whole = schemas.resolved(schema);
  const { examples, properties = {}, required = [] } = whole;
  if (Array.isArray(examples)) return examples[0];
  const names = required as string[];
  const fields = Object.entries(properties as Record<string, Json>);
  // An example of an object that requires no field shows its first field.
  const sent = names.length > 0 ? fields.filter(([name]) => names.includes(name)) : fields.slice(0, 1);
  return objectOf({ properties: Object.fromEntries(sent) }, schemas);
}

/** An example that keeps to the schema: its own where it has one, otherwise the plainest that is whole. */
export function exampleOf(schema: Json, schemas: Schemas, name = ''): unknown {
  const { $ref: reference, examples, default: fallback, const: constant, enum: choices, anyOf, oneOf } = schema;
  if (reference !== undefined) return exampleOf(schemas.resolved(schema), schemas, name);
  if (Array.isArray(examples)) return examples[0];
  if (fallback !== undefined) return fallback;
  if (constant !== undefined) return constant;
  if (Array.isArray(choices)) return choices[0];
  if (ABSENT.has(name) && isNullable(schema)) return null;
  const alternatives = anyOf ?? oneOf;
  if (Array.isArray(alternatives)) return exampleOf(alternatives[0] as Json, schemas, name);
  return ofType(schema, schemas, name);
}

function ofType(schema: Json, schemas: Schemas, name: string): unknown {
  const type: unknown = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'object':
      return objectOf(schema, schemas);
    case 'array':
      return schema.items === undefined ? [] : [exampleOf(schema.items as Json, schemas, name)];
    case 'string':
      return textOf(schema, name);
    case 'integer':
    case 'number':
      return Math.max(Number(schema.minimum ?? 0), Math.min(NUMBERS[name] ?? 3, Number(schema.maximum ?? Infinity)));
    case 'boolean':
      return false;
    default:
      return null;
  }
}

function objectOf({ properties = {} }: Json, schemas: Schemas): Json {
  const fields = Object.entries(properties as Record<string, Json>);
  return Object.fromEntries(fields.map(([name, schema]) => [name, exampleOf(schema, schemas, name)]));
}

function isNullable({ type, anyOf }: Json): boolean {
  const isNull = (one: unknown) => one === 'null' || (one as Json).type === 'null';
  return [type, anyOf].some((list) => Array.isArray(list) && list.some(isNull));
}

function textOf({ format }: Json, name: string): unknown {
  if (format === 'date-time') return INSTANT;
  if (format === 'uuid') return UUID;
  if (format === 'email') return BY_NAME.email;
  if (format === 'uri') return 'https://example.com/hooks/latchkey';
  if (format === 'date') return '2026-01-31';
  if (Object.hasOwn(BY_NAME, name)) return BY_NAME[name];
  return /(^id|Id)$|^(createdBy|createdWith|savedBy|savedWith|confirmedBy)$/.test(name) ? UUID : 'text';
}
