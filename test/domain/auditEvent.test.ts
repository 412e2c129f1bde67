import { expect } from 'chai';
import fc from '../support/properties.ts';
import { AUDITED, changedFields, shortenFields, type AuditEvent } from '../../app/domain/auditEvent.ts';
import { DEFAULT_POLICY } from '../../app/domain/policy.ts';

describe('the list of audited actions', () => {
  it('knows the actions of keys by the names of the contract, about an api_key', () => {
    for (const action of [
      'API_KEY_CREATED',
      'API_KEY_USED',
      'API_KEY_ROTATED',
      'API_KEY_REVOKED',
      'API_KEY_SCOPES_UPDATED',
    ] as const)
      expect(AUDITED[action]).to.equal('api_key');
  });

  it('is about known kinds of things only', () => {
    const entities = [
      'api_key',
      'user',
      'tenant',
      'membership',
      'invitation',
      'session',
      'settings',
      'app',
      'checkout',
      'ticket',
      'record',
      'draft',
      'forward_auth',
      'scopes',
    ];
    expect([...new Set(Object.values(AUDITED))]).to.have.members(entities);
  });

  it('fits the column it is stored in', () => {
    for (const action of Object.keys(AUDITED)) expect(action).to.match(/^[A-Z][A-Z_]{2,39}$/);
  });
});

describe('the fields of a change', () => {
  it('are those that differ, as they were and as they are', () => {
    const before = { name: 'CI', scopes: ['read'], expiresAt: null, rateLimit: { limit: 1, windowSeconds: 60 } };
    const after = {
      name: 'CI',
      scopes: ['read', 'projects:write'],
      expiresAt: 5,
      rateLimit: { limit: 2, windowSeconds: 60 },
    };
    expect(changedFields(before, after)).to.deep.equal({
      before: { scopes: ['read'], expiresAt: null, rateLimit: { limit: 1, windowSeconds: 60 } },
      after: { scopes: ['read', 'projects:write'], expiresAt: 5, rateLimit: { limit: 2, windowSeconds: 60 } },
    });
  });

  it('are compared by content', () => {
    expect(
      changedFields({ scopes: ['read'], rateLimit: { a: 1, b: 2 } }, { scopes: ['read'], rateLimit: { b: 2, a: 1 } }),
    ).to.deep.equal({});
    expect(changedFields({ limit: 1 }, { limit: '1' })).to.deep.equal({ before: { limit: 1 }, after: { limit: '1' } });
    expect(changedFields({ scopes: ['a', 'b'] }, { scopes: ['b', 'a'] })).to.have.keys('before', 'after');
  });

  it('of a creation are all after, of a removal all before', () => {
    expect(changedFields(null, { name: 'CI' })).to.deep.equal({ after: { name: 'CI' } });
    expect(changedFields({ name: 'CI' }, null)).to.deep.equal({ before: { name: 'CI' } });
    expect(changedFields(null, null)).to.deep.equal({});
  });

  it('are told on one side when the other does not have them', () => {
    expect(changedFields({ name: 'CI' }, { name: 'CI', reason: 'lost' })).to.deep.equal({ after: { reason: 'lost' } });
    expect(changedFields({ name: undefined }, { name: 'CI' })).to.deep.equal({ after: { name: 'CI' } });
    expect(changedFields({ name: null }, { name: undefined })).to.deep.equal({ before: { name: null } });
  });

  it('named like what every object inherits are fields like others', () => {
    expect(changedFields({ name: 'CI' }, { name: 'CI', constructor: Object })).to.deep.equal({
      after: { constructor: Object },
    });
    expect(
      Object.keys(
        changedFields(null, JSON.parse('{"metadata":{"__proto__":{"a":1}}}') as { metadata: object }).after
          ?.metadata as object,
      ),
    ).to.deep.equal(['__proto__']);
  });

  it('join an event as they are', () => {
    const event: AuditEvent = {
      action: 'API_KEY_UPDATED',
      entityId: 'k1',
      ...changedFields({ name: 'a' }, { name: 'b' }),
    };
    expect(event).to.deep.equal({
      action: 'API_KEY_UPDATED',
      entityId: 'k1',
      before: { name: 'a' },
      after: { name: 'b' },
    });
    // @ts-expect-error a field that did not pass changedFields has no way in
    const smuggled: AuditEvent = { action: 'API_KEY_UPDATED', entityId: 'k1', after: { key: 'raw' } };
    expect(smuggled).to.have.property('after');
  });

  const secrets = [
    'key',
    'apiKey',
    'api_key',
    'rawKey',
    'keyHash',
    'key_hash',
    'KEY',
    'hash',
    'sha256Hash',
    'password',
    'passwordHash',
    'oldPassword',
  ];
  for (const field of [
    ...secrets,
    'passwd',
    'pwd',
    'token',
    'setupToken',
    'accessTOKEN',
    'clientSecret',
    'credentials',
    'sessionCookie',
    'jwt',
    'keyprefix',
  ]) {
    it(`never include ${field}: it is refused on either side, changed or not`, () => {
      expect(() => changedFields({ [field]: 'x' }, null)).to.throw(field);
      expect(() => changedFields(null, { [field]: 'x' })).to.throw(field);
      expect(() => changedFields({ [field]: 'x' }, { [field]: 'x' })).to.throw(field);
    });
  }

  it('are never told in the refusal', () => {
    expect(() => changedFields(null, { password: 'hunter2' }))
      .to.throw()
      .with.property('message')
      .that.does.not.include('hunter2');
  });

  it('may be any of a policy, and the display of a key', () => {
    expect(changedFields(null, DEFAULT_POLICY).after).to.deep.equal(DEFAULT_POLICY);
    const shown = {
      keyPrefix: 'fsk_live_abcdefgh',
      lastFour: 'wxyz',
      previousKeyId: 'a',
      successorKeyId: 'b',
      keyId: 'c',
    };
    expect(changedFields(null, shown).after).to.deep.equal(shown);
  });

  it('hide what a customer named like a secret inside a field, and still tell that it changed', () => {
    const before = { metadata: { team: 'a', api_token: 'old', list: [{ password: 'p' }] } };
    const after = { metadata: { team: 'a', api_token: 'new', list: [{ password: 'p' }] } };
    const hidden = { metadata: { team: 'a', api_token: '[hidden]', list: [{ password: '[hidden]' }] } };
    expect(changedFields(before, after)).to.deep.equal({ before: hidden, after: hidden });
  });

  it('keep the beginning of what a customer wrote at length, and never half a character', () => {
    const before = { content: 'a'.repeat(500), items: ['b'.repeat(499)], count: 1 };
    const after = { content: `${'a'.repeat(499)}😀${'a'.repeat(9_000)}`, items: [], count: null };
    expect(shortenFields(changedFields(before, after))).to.deep.equal({
      before: { content: 'a'.repeat(500), items: `["${'b'.repeat(498)}…`, count: 1 },
      after: { content: `${'a'.repeat(499)}…`, items: [], count: null },
    });
    expect(shortenFields(changedFields(null, null))).to.deep.equal({});
  });

  it('rebuild what is, put over what was', () => {
    const fields = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd'),
      fc.jsonValue({ maxDepth: 1 }).filter(hidesNothing),
    );
    fc.assert(
      fc.property(fields, fields, (before, change) => {
        const after = { ...before, ...change };
        expect({ ...before, ...changedFields(before, after).after }).to.deep.equal(after);
      }),
    );
  });
});

function hidesNothing(value: unknown): boolean {
  return !/key|hash|passw|pwd|token|secret|credential|cookie|jwt/i.test(JSON.stringify(value));
}
