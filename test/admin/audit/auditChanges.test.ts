import { expect } from 'chai';
import type { AuditLog } from '../../../db/tables/auditLogs.ts';
import { DEFAULT_POLICY } from '../../../app/domain/policy.ts';
import { changesOf } from '../../../app/admin/audit/auditChanges.ts';
import { textsIn } from '../../../app/locales/texts.ts';

const ROW: AuditLog = {
  id: '',
  tenantId: null,
  action: 'API_KEY_UPDATED',
  entity: 'api_key',
  entityId: null,
  actor: { type: 'system', id: null, name: null },
  origin: { ip: null, userAgent: null, requestId: null },
  before: null,
  after: null,
  createdAt: 0,
};

describe('a change in the audit log', () => {
  it('is shown in the language of its reader, with times written as dates', () => {
    const before = { expiresAt: '2030-01-31T12:30:00.000Z', rateLimit: null, allowedIps: [], owner: 'tenant' };
    const after = { expiresAt: null, rateLimit: { limit: 100, windowSeconds: 60 }, allowedIps: ['10.0.0.0/8', '::1'] };
    expect(changesOf({ ...ROW, before, after }, textsIn('fr'))).to.deep.equal([
      { field: 'Expiration', before: '31 janv. 2030, 12:30:00 UTC', after: undefined },
      { field: 'Limite de débit', before: undefined, after: '100 par minute' },
      { field: 'Réseaux', before: undefined, after: '10.0.0.0/8, ::1' },
      { field: 'Appartient à', before: 'l’organisation', after: undefined },
    ]);
  });

  it('shows booleans, numbers and statuses in words, whatever entity changed', () => {
    const after = { requireExpiry: false, maxGraceSeconds: 86_400, status: 'suspended', plan: 'pro', role: 'ADMIN' };
    const told = (entity: AuditLog['entity']) =>
      changesOf({ ...ROW, entity, after }, textsIn('en')).map((change) => change.after ?? '');
    expect(told('tenant')).to.deep.equal(['no', '86,400', 'suspended', 'Pro', 'Admin']);
    expect(changesOf({ ...ROW, entity: 'user', after: { status: 'disabled' } }, textsIn('fr'))[0]).to.include({
      field: 'Statut',
      after: 'désactivé',
    });
  });

  it('leaves values without a text, and numbers that only look like a time, as they are', () => {
    const after = { novel: 'x', metadata: { team: 'a' }, name: '2030-01-31T12:30:00.000Z', expiresAt: 'soon' };
    expect(changesOf({ ...ROW, after }, textsIn('fr')).map(({ field, after }) => [field, after])).to.deep.equal([
      ['novel', 'x'],
      ['Métadonnées', '{"team":"a"}'],
      ['Nom', '2030-01-31T12:30:00.000Z'],
      ['Expiration', 'soon'],
    ]);
    expect(changesOf({ ...ROW, before: { metadata: {} }, after: { description: null } }, textsIn('en'))).to.deep.equal(
      [],
    );
  });

  it('has names for the fields of records, and lists and prices as they are kept', () => {
    const after = { dueOn: '2030-01-31', price: { amount: 1999, currency: 'EUR' }, events: ['order.paid'] };
    expect(changesOf({ ...ROW, entity: 'record', after }, textsIn('fr'))).to.deep.equal([
      { field: 'Échéance', before: undefined, after: '2030-01-31' },
      { field: 'Prix', before: undefined, after: '{"amount":1999,"currency":"EUR"}' },
      { field: 'Événements', before: undefined, after: 'order.paid' },
    ]);
  });

  it('has a name for each rule of a policy', () => {
    const unnamed = Object.keys(DEFAULT_POLICY).filter((field) => !textsIn('fr').has(`audit.field_${field}`));
    expect(unnamed).to.deep.equal([]);
  });
});
