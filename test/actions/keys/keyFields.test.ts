import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { fieldsOfKey, keyInputOf } from '../../../app/admin/keys/keyForm.ts';
import { KeyAnswer } from '../../../app/api/answers/key.ts';
import { KeyChange, NewKey } from '../../../app/domain/keyInput.ts';
import {
  CHOSEN_FIELDS,
  KEY_COLUMNS,
  KEY_FIELDS,
  type ApiKey,
  type ChosenField,
} from '../../../db/tables/keys/apiKeyFields.ts';
import { findApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { as, castOf, type Cast } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { auditOf, issue, read, rotate, type AuditRow, type Key } from '../../support/keys.ts';
import { startServer, type TestServer } from '../../support/server.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Math.floor(Date.now() / 1000) * 1000 + days * DAY_MS).toISOString();

/** What each field is given at creation, and what it is changed to. */
const VALUES: Record<ChosenField, [first: unknown, then: unknown]> = {
  name: ['Nightly export', 'Weekly export'],
  description: ['Copies the orders', 'Copies the customers'],
  scopes: [['projects:read'], ['files:read']],
  expiresAt: [inDays(20), inDays(30)],
  allowedIps: [['203.0.113.0/24'], ['198.51.100.0/24']],
  rateLimit: [
    { limit: 5, windowSeconds: 60 },
    { limit: 6, windowSeconds: 1 },
  ],
  monthlyQuota: [1_000, 2_000],
  externalId: ['customer-1042', 'customer-1043'],
  metadata: [{ team: 'billing' }, { team: 'sales' }],
};
const FIRST = valuesAt(0);
const THEN = valuesAt(1);

/** The fields that no answer shows under their own name, and why. */
const NOT_SHOWN: Partial<Record<keyof ApiKey, string>> = {
  tenantId: 'whoever asks is in the tenant',
  userId: 'shown as `owner`',
  importedAt: 'the audit log has it',
  app: 'the marketplace shows which app has which key',
  revokedBy: 'the audit log has it, with its name',
  revokeReason: 'the audit log has it',
  pausedAt: 'shown as `status`',
  pausedBy: 'the audit log has it, with its name',
  pauseReason: 'the audit log has it',
  leakReportedAt: 'the audit log has it',
};

/** The columns that are in no field: nobody has to see the hash. */
const NOT_READ = ['key_hash'];

describe('the fields of a key', () => {
  it('are each shown by the API, or left out for a reason', () => {
    for (const field of Object.keys(KEY_FIELDS) as (keyof ApiKey)[]) {
      expect(Object.hasOwn(KeyAnswer.shape, field), field).to.equal(NOT_SHOWN[field] === undefined);
    }
  });

  it('that people choose can each be given at creation and changed later, and no others can be changed', () => {
    expect(Object.keys(KeyChange.shape)).to.have.members(CHOSEN_FIELDS);
    expect(Object.keys(NewKey.shape)).to.include.members(CHOSEN_FIELDS);
  });

  it('that people choose each have a label in the form, in both languages', () => {
    for (const language of ['en', 'fr']) {
      const texts = JSON.parse(readFileSync(`app/locales/${language}/keys.json`, 'utf8')) as object;
      const labels = CHOSEN_FIELDS.map((field) => `field_${field === 'expiresAt' ? 'expires' : field}`);
      expect(texts, language).to.include.keys(labels);
    }
  });
});

onEachDatabase('what people choose for a key', (database) => {
  let server: TestServer;
  let cast: Cast;
  let key: Key;

  before(async () => {
    server = await startServer(database.env());
    cast = await castOf(server);
  });
  after(async () => server.stop());
  beforeEach(async () => {
    key = await issue(server, as(cast.alice), FIRST);
  });

  it('is stored at creation, each field, and told to the audit log', async () => {
    expect(await read(server, as(cast.alice), key.id)).to.deep.include(FIRST);
    expect((await auditRow('API_KEY_CREATED')).after).to.deep.include(FIRST);
  });

  it('is changed, each field, and told to the audit log with what was before', async () => {
    await server.patch(`/api/api-keys/${key.id}`, THEN, as(cast.alice));
    expect(await read(server, as(cast.alice), key.id)).to.deep.include(THEN);
    const [scopes, others] = [await auditRow('API_KEY_SCOPES_UPDATED'), await auditRow('API_KEY_UPDATED')];
    expect({ ...others.before, ...scopes.before }).to.deep.equal(FIRST);
    expect({ ...others.after, ...scopes.after }).to.deep.equal(THEN);
  });

  it('is copied at rotation, each field', async () => {
    expect(await rotate(server, as(cast.alice), key.id)).to.deep.include(FIRST);
  });

  it('comes back, each field, from a form that was sent as it was shown', async () => {
    const stored = await findApiKey(server.services.db, cast.acme.id, key.id);
    if (!stored) throw new Error('no key');
    const sent = KeyChange.parse(keyInputOf(fieldsOfKey(stored), Date.now()));
    for (const field of CHOSEN_FIELDS) {
      if (field !== 'expiresAt') expect(sent[field], field).to.deep.equal(stored[field]);
    }
  });

  it('is in columns that the table has, and the table has no others that are read', async () => {
    const columns = Object.keys(await server.services.db('api_keys').columnInfo());
    // MySQL makes these from others, for its indexes.
    const computed = database.kind === 'mysql' ? ['scopes_start', 'ends_at'] : [];
    expect(columns).to.have.members([...KEY_COLUMNS, ...NOT_READ, ...computed]);
  });

  async function auditRow(action: string): Promise<AuditRow> {
    const row = (await auditOf(server, as(cast.alice), key.id)).find((one) => one.action === action);
    if (!row) throw new Error(`no audit row ${action}`);
    return row;
  }
});

function valuesAt(index: 0 | 1): Record<string, unknown> {
  return Object.fromEntries(CHOSEN_FIELDS.map((field) => [field, VALUES[field][index]]));
}
