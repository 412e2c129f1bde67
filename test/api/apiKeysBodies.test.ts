import { expect } from 'chai';
import { as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer } from '../support/http.ts';
import { auditOf, issue, keyOf, read, refusal, type Key } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

type Faulty = [why: string, fields: string | object, paths: string[]];

/** Every field that a key can be given at its creation and changed in later. */
const FIELDS: Faulty[] = [
  ['an empty name', { name: '' }, ['name']],
  ['a blank name', { name: ' \u200b\u3000' }, ['name']],
  ['a name that is no text', { name: 5 }, ['name']],
  ['no name by null', { name: null }, ['name']],
  ['a name of 101 characters', { name: 'x'.repeat(101) }, ['name']],
  ['a name with a NUL', { name: 'a\0b' }, ['name']],
  ['a name on two lines', { name: 'a\nb' }, ['name']],
  ['a name that turns the direction of writing', { name: 'a\u202eb' }, ['name']],
  ['a name with half a character', '"name":"a\\ud800"', ['name']],
  ['a description too long', { description: 'x'.repeat(501) }, ['description']],
  ['a description of nothing visible', { description: '\u200b' }, ['description']],
  ['a description with a NUL', { description: 'a\0b' }, ['description']],
  ['no scope', { scopes: [] }, ['scopes']],
  ['scopes that are no list', { scopes: 'read' }, ['scopes']],
  ['scopes as an object', { scopes: { 0: 'read', length: 1 } }, ['scopes']],
  ['a scope that is no text', { scopes: ['read', ['read']] }, ['scopes.1']],
  ['unknown scopes', { scopes: ['read', 'x:y', 'projects:read', 'projects:fly'] }, ['scopes.1', 'scopes.3']],
  [
    'scopes that almost are',
    { scopes: ['Read', 'projects:read ', 'projects:', '', '__proto__'] },
    indexed('scopes', 5),
  ],
  ['10,000 good scopes', { scopes: Array<string>(10_000).fill('*') }, ['scopes']],
  ['10,000 unknown scopes', { scopes: Array<string>(10_000).fill('x:y') }, ['scopes']],
  ['an expiry in the past', { expiresAt: '2001-01-01T00:00:00Z' }, ['expiresAt']],
  ['an expiry on a day that is not', { expiresAt: '2026-02-30T00:00:00Z' }, ['expiresAt']],
  ['an expiry without a zone', { expiresAt: '2099-01-01T00:00:00' }, ['expiresAt']],
  ['an expiry without a time', { expiresAt: '2099-01-01' }, ['expiresAt']],
  ['an expiry as a number', { expiresAt: 4_070_908_800_000 }, ['expiresAt']],
  ['an expiry of five digits', { expiresAt: '+12099-01-01T00:00:00Z' }, ['expiresAt']],
  [
    'networks that are none',
    { allowedIps: ['10.0.0.0/8', '10.0.0.0/33', 'x', '::1/129'] },
    indexed('allowedIps', 3, 1),
  ],
  ['101 networks', { allowedIps: Array.from({ length: 101 }, (_, i) => `10.0.0.${i}`) }, ['allowedIps']],
  ['networks that are no list', { allowedIps: '10.0.0.0/8' }, ['allowedIps']],
  ['half a rate limit', { rateLimit: { limit: 5 } }, ['rateLimit.windowSeconds']],
  [
    'a rate limit of nothing',
    { rateLimit: { limit: 0, windowSeconds: 1.5 } },
    ['rateLimit.limit', 'rateLimit.windowSeconds'],
  ],
  ['more than a rate limit', { rateLimit: { limit: 5, windowSeconds: 1, burst: 2 } }, ['rateLimit.burst']],
  ['a rate limit as text', { rateLimit: '600/60' }, ['rateLimit']],
  ['a quota of nothing', { monthlyQuota: 0 }, ['monthlyQuota']],
  ['a quota in parts', { monthlyQuota: 1.5 }, ['monthlyQuota']],
  ['a quota as text', { monthlyQuota: '100' }, ['monthlyQuota']],
  ['a quota beyond all numbers', '"monthlyQuota":1e999', ['monthlyQuota']],
  ['an empty external id', { externalId: '' }, ['externalId']],
  ['an external id that does not show', { externalId: 'a\u202eb' }, ['externalId']],
  ['an external id of 256 characters', { externalId: 'x'.repeat(256) }, ['externalId']],
  ['metadata as a list', { metadata: ['a'] }, ['metadata']],
  ['metadata as null', { metadata: null }, ['metadata']],
  ['metadata in depth', { metadata: { a: { b: 1 } } }, ['metadata']],
  ['metadata with a list', { metadata: { a: [] } }, ['metadata']],
  [
    'metadata of 51 entries',
    { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [i, i])) },
    ['metadata'],
  ],
  ['metadata with a long name', { metadata: { ['x'.repeat(41)]: 1 } }, ['metadata']],
  ['metadata with a nameless entry', { metadata: { '': 1 } }, ['metadata']],
  ['metadata with a long text', { metadata: { a: 'x'.repeat(501) } }, ['metadata']],
  ['metadata with half a character', '"metadata":{"a":"\\udfff"}', ['metadata']],
  ['metadata with a number beyond all', '"metadata":{"a":-1e999}', ['metadata']],
  ['metadata of 40 KiB', { metadata: wide(50, 'é'.repeat(400)) }, ['metadata']],
  ['a __proto__ in metadata', '"metadata":{"__proto__":"x"}', ['metadata']],
  ['a __proto__', '"__proto__":{"scopes":["*"]}', ['__proto__']],
  ['fields that are ours', { tenantId: 'x', createdBy: 'x' }, ['tenantId', 'createdBy']],
  ['more fields that are ours', { id: 'x', revokedAt: null, keyHash: 'x' }, ['id', 'revokedAt', 'keyHash']],
  ['fields of every object', { constructor: 1, toString: 2 }, ['constructor', 'toString']],
];

const ONLY_AT_CREATION: Faulty[] = [
  ['another environment', { environment: 'staging' }, ['environment']],
  ['another owner', { owner: 'alice' }, ['owner']],
  ['no days', { expiresInDays: 0 }, ['expiresInDays']],
  ['366 days', { expiresInDays: 366 }, ['expiresInDays']],
  ['half a day', { expiresInDays: 0.5 }, ['expiresInDays']],
  ['days as text', { expiresInDays: '30' }, ['expiresInDays']],
  ['both expiries', { expiresAt: '2099-01-01T00:00:00Z', expiresInDays: 30 }, ['expiresInDays']],
];

const NEVER_CHANGED = [
  'environment',
  'owner',
  'expiresInDays',
  'key',
  'status',
  'previousKeyId',
  'graceEndsAt',
  'userId',
];

const ROTATIONS: Faulty[] = [
  ['a negative overlap', { gracePeriodSeconds: -1 }, ['gracePeriodSeconds']],
  ['an overlap in parts', { gracePeriodSeconds: 0.5 }, ['gracePeriodSeconds']],
  ['an overlap beyond a year', { gracePeriodSeconds: 31_536_001 }, ['gracePeriodSeconds']],
  ['an overlap longer than the policy has it', { gracePeriodSeconds: 31_536_000 }, ['gracePeriodSeconds']],
  ['an expiry in the past', { expiresAt: '2001-01-01T00:00:00Z' }, ['expiresAt']],
  ['scopes', { scopes: ['*'] }, ['scopes']],
  ['a __proto__', '"__proto__":{"gracePeriodSeconds":1}', ['__proto__']],
];

const REVOCATIONS: Faulty[] = [
  ['an empty reason', { reason: '' }, ['reason']],
  ['a reason too long', { reason: 'x'.repeat(256) }, ['reason']],
  ['a reason with a NUL', { reason: '\0' }, ['reason']],
  ['another field', { force: true }, ['force']],
];

onEachDatabase('a body about a key', (database) => {
  const { server, ...cast } = useServer(database);
  let key: Key;
  const alice = () => as(cast.alice);

  before(async () => {
    key = await issue(server, alice(), { name: 'untouched' });
  });
  for (const [why, fields, paths] of [...FIELDS, ...ONLY_AT_CREATION]) {
    it(`makes no key with ${why}`, async () => {
      const named = typeof fields === 'object' && 'name' in fields ? {} : { name: 'x' };
      expectRefused(await send('POST', '/api/api-keys', named, fields), paths);
    });
  }

  for (const [why, fields, paths] of FIELDS) {
    it(`changes no key to ${why}`, async () => {
      expectRefused(await send('PATCH', `/api/api-keys/${key.id}`, {}, fields), paths);
    });
  }

  it('makes no key without a name', async () => {
    for (const body of ['', '{}']) expectRefused(await sendText('POST', '/api/api-keys', body), ['name']);
    expectRefused(await sendText('POST', '/api/api-keys', 'null'), ['']);
  });

  it('never changes what a key is', async () => {
    for (const field of NEVER_CHANGED) {
      const answer = await send('PATCH', `/api/api-keys/${key.id}`, {}, { [field]: 'live' });
      expectRefused(answer, [field]);
    }
  });

  for (const [why, fields, paths] of ROTATIONS) {
    it(`rotates no key with ${why}`, async () => {
      expectRefused(await send('POST', `/api/api-keys/${key.id}/rotate`, {}, fields), paths);
    });
  }

  for (const [why, fields, paths] of REVOCATIONS) {
    it(`revokes no key for ${why}`, async () => {
      expectRefused(await send('POST', `/api/api-keys/${key.id}/revoke`, {}, fields), paths);
      expectRefused(await send('DELETE', `/api/api-keys/${key.id}`, {}, fields), paths);
    });
  }

  it('is an object', async () => {
    for (const body of ['[]', '5', '"name"', 'true', '[{"name":"x"}]']) {
      expectRefused(await sendText('POST', '/api/api-keys', body), ['']);
      expectRefused(await sendText('PATCH', `/api/api-keys/${key.id}`, body), ['']);
    }
  });

  it('names an unknown scope only where it looks like one', async () => {
    const messages = async (scopes: string[]) => {
      const answer = await send('POST', '/api/api-keys', { name: 'x' }, { scopes });
      expect(answer.text).not.to.include('script');
      return (answer.body as { errors: { message: string }[] }).errors.map(({ message }) => message);
    };
    expect(await messages(['fly:high', '<script>'])).to.deep.equal(['Not a scope']);
    expect(await messages(['fly:high'])).to.deep.equal(['Unknown scope: fly:high']);
  });

  it('repeats no name that somebody made up', async () => {
    const answer = await send('POST', '/api/api-keys', { name: 'x' }, { metadata: { '<script>': { a: 1 } } });
    expect(answer.text).not.to.include('script');
  });

  it('may fill every field to its end', async () => {
    const other = await issue(server, as(cast.charlie), {
      name: '😀'.repeat(100),
      description: '漢'.repeat(500),
      externalId: '漢'.repeat(255),
      metadata: wide(50, 'x'.repeat(500)),
      allowedIps: Array.from({ length: 100 }, (_, i) => `2001:db8:1111:2222:3333:4444:5555:${(i + 4096).toString(16)}`),
      scopes: [...(await allScopes()).slice(0, 99), '*'],
      monthlyQuota: 1_000_000_000_000,
      rateLimit: { limit: 1_000_000, windowSeconds: 86_400 },
      expiresInDays: 365,
    });
    const wiped = { metadata: {}, allowedIps: [], scopes: ['read'], description: null, externalId: null };
    keyOf(await server.patch(`/api/api-keys/${other.id}`, wiped, as(cast.charlie)), 200);
    expect(await auditOf(server, as(cast.charlie), other.id)).to.have.length(3);
  });

  it('that is refused leaves no key and no audit row behind', async () => {
    const { body } = await server.get('/api/api-keys?includeRevoked=true', alice());
    expect((body as { data: Key[] }).data).to.deep.equal([await read(server, alice(), key.id)]);
    expect(await auditOf(server, alice(), key.id)).to.have.length(1);
  });

  async function allScopes(): Promise<string[]> {
    const { body } = await server.get('/api/api-keys/scopes/available', alice());
    return (body as { scopes: string[] }).scopes;
  }

  function expectRefused(answer: Answer, paths: string[]): void {
    expect(refusal(answer, 422, 'invalid_input')).to.deep.equal(paths);
  }

  /** Fields as text are JSON that no object literal can say. */
  async function send(method: string, path: string, base: object, fields: string | object): Promise<Answer> {
    const text = typeof fields === 'string' ? fields : JSON.stringify(fields).slice(1, -1);
    const parts = [JSON.stringify(base).slice(1, -1), text].filter((part) => part !== '');
    return sendText(method, path, `{${parts.join(',')}}`);
  }

  async function sendText(method: string, path: string, body: string): Promise<Answer> {
    return server.send(method, path, { headers: { ...alice(), 'Content-Type': 'application/json' }, body });
  }
});

function indexed(field: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${field}.${i + from}`);
}

function wide(count: number, value: string): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}-`.padEnd(40, 'x'), value]));
}
