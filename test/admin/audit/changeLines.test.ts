import { expect } from 'chai';
import type { AuditLog } from '../../../db/tables/auditLogs.ts';
import { changeLinesOf, type ChangeLine } from '../../../app/admin/audit/changeLines.ts';
import { pageEnd, savesOf } from '../../../app/admin/audit/saves.ts';
import { textsIn } from '../../../app/locales/texts.ts';

const ROW: AuditLog = {
  id: '',
  tenantId: null,
  action: 'API_KEY_UPDATED',
  entity: 'api_key',
  entityId: 'a key',
  actor: { type: 'user', id: 'alice', name: 'Alice' },
  origin: { ip: null, userAgent: null, requestId: 'a request' },
  before: null,
  after: null,
  createdAt: 0,
};
const LONG = 'x'.repeat(100);
const SUCCESSOR = '01a211ef-0ff6-71c1-b471-26c1b3f00c0d';

/** A line as it reads. */
function read({ field, entries = [], added = [], removed = [], before, after }: ChangeLine): string {
  const list = [...entries, ...added.map((one) => `+ ${one}`), ...removed.map((one) => `− ${one}`)];
  const values = [before, after].filter((one) => one !== undefined);
  const texts = values.map((one) => ('at' in one ? new Date(one.at).toISOString() : one.text));
  return `${field}: ${[...list, ...(texts.length > 0 ? [texts.join(' → ')] : [])].join(' ')}`;
}

const CASES: readonly [string, Partial<AuditLog>, string[]][] = [
  [
    'says of a list what came and what went, and nothing of what stayed',
    { before: { scopes: ['read', 'billing:write'] }, after: { scopes: ['projects:read', 'read'] } },
    ['Scopes: + projects:read − billing:write'],
  ],
  [
    'says what a value was and is, with a word for what was or is not there',
    {
      before: { rateLimit: null, expiresAt: '2030-01-31T12:30:00.000Z', allowedIps: [] },
      after: { rateLimit: { limit: 100, windowSeconds: 60 }, expiresAt: null, allowedIps: ['::1'] },
    },
    ['Expires: 2030-01-31T12:30:00.000Z → never', 'Rate limit: none → 100 per minute', 'Networks: + ::1'],
  ],
  [
    'tells what was created by its scopes and expiry first, without its name, which stands beside the action',
    {
      action: 'API_KEY_CREATED',
      after: { name: 'n', environment: 'live', expiresAt: null, scopes: ['read'], allowedIps: [], rateLimit: null },
    },
    ['Scopes: read', 'Expires: never', 'Environment: Live'],
  ],
  [
    'takes an object of a customer apart, entry by entry',
    { before: { metadata: { team: 'a', seat: 1 } }, after: { metadata: { team: 'b', seat: 1 } } },
    ['Metadata · team: a → b'],
  ],
  [
    'writes ids by their ends',
    {
      action: 'API_KEY_ROTATED',
      before: { successorKeyId: null, graceEndsAt: null },
      after: { successorKeyId: SUCCESSOR, graceEndsAt: '2030-01-31T12:30:00.000Z' },
    },
    ['Replaced by: …b3f00c0d', 'Ends: 2030-01-31T12:30:00.000Z'],
  ],
  [
    'leaves out the time of a revocation, which is that of the row',
    { action: 'API_KEY_REVOKED', after: { revokedAt: '2030-01-31T12:30:00.000Z', reason: 'lost' } },
    ['Reason: lost'],
  ],
  [
    'writes a use of a key as its request',
    { action: 'API_KEY_USED', after: { method: 'GET', endpoint: '/api/v1/x', statusCode: 200 } },
    ['Route: GET /api/v1/x', 'Response: 200'],
  ],
  ['cuts a long value', { before: { name: 'n' }, after: { name: LONG } }, [`Name: n → ${'x'.repeat(80)}…`]],
];

describe('a row on the page of the audit log', () => {
  for (const [promise, row, lines] of CASES) {
    it(promise, () => {
      expect(changeLinesOf({ ...ROW, ...row }, textsIn('en')).map(read)).to.deep.equal(lines);
    });
  }

  it('keeps the whole of what it cuts', () => {
    const [line] = changeLinesOf({ ...ROW, before: { name: 'n' }, after: { name: LONG } }, textsIn('en'));
    expect(line?.after).to.have.property('full', LONG);
  });

  it('stands for all rows of one save, which no end of a page parts, and for none of another', () => {
    const other = { ...ROW, entityId: 'another key' };
    const later = { ...ROW, createdAt: 1 };
    const unknown = { ...ROW, origin: { ...ROW.origin, requestId: null } };
    const logs = [later, ROW, ROW, other, unknown, unknown];
    expect(savesOf(logs).map((save) => save.length)).to.deep.equal([1, 2, 1, 1, 1]);
    expect([1, 2, 3, 4, 5].map((limit) => pageEnd(logs, limit))).to.deep.equal([1, 3, 3, 4, 5]);
  });
});
