import { expect } from 'chai';
import { fieldErrors } from '../../app/http/fieldErrors.ts';
import fc from '../support/properties.ts';
import { z } from 'zod';
import {
  changePolicy,
  DEFAULT_POLICY,
  graceProblem,
  isIdle,
  lifetimeProblem,
  PolicyChange,
  policyFault,
  readPolicy,
  type Policy,
} from '../../app/domain/policy.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 0, 1);

const whole: Policy = {
  maxLifetimeDays: 90,
  requireExpiry: true,
  defaultScopes: ['projects:read', 'read'],
  allowedNetworks: ['10.0.0.0/8', '2001:db8::/32'],
  maxGraceSeconds: 3600,
  idleDays: 30,
  keysMayManageKeys: true,
  allowBearerKeys: false,
  leakAction: 'notify',
  enforceOnExisting: true,
  defaultRateLimit: { limit: 100, windowSeconds: 60 },
};

function policy(given: Partial<Policy>): Policy {
  return { ...DEFAULT_POLICY, ...given };
}

describe('a change of policy as input', () => {
  it('may be empty, whole, or any one field', () => {
    expect(PolicyChange.parse({})).to.deep.equal({});
    expect(PolicyChange.parse(whole)).to.deep.equal(whole);
    for (const [field, value] of Object.entries(whole))
      expect(PolicyChange.parse({ [field]: value })).to.deep.equal({ [field]: value });
  });

  it('lifts a rule with null, where a rule may be absent', () => {
    const liftable = ['maxLifetimeDays', 'idleDays', 'defaultRateLimit'];
    for (const field of Object.keys(whole))
      expect(PolicyChange.safeParse({ [field]: null }).success, field).to.equal(liftable.includes(field));
  });

  it('writes networks and scopes in their one spelling, each once', () => {
    const change = {
      allowedNetworks: ['10.1.2.3/8', '::ffff:10.0.0.0/104'],
      defaultScopes: ['read:projects', 'projects:read', 'read'],
    };
    expect(PolicyChange.parse(change)).to.deep.equal({
      allowedNetworks: ['10.0.0.0/8'],
      defaultScopes: ['projects:read', 'read'],
    });
  });

  const refused: Record<string, unknown>[] = [
    { tenantId: 'x' },
    { MaxLifetimeDays: 1 },
    { maxLifetimeDays: 0 },
    { maxLifetimeDays: 3651 },
    { maxLifetimeDays: 1.5 },
    { maxLifetimeDays: '90' },
    { requireExpiry: 1 },
    { requireExpiry: 'false' },
    { defaultScopes: [] },
    { defaultScopes: 'read' },
    { defaultScopes: ['read', 'nonsense'] },
    { defaultScopes: ['READ'] },
    { defaultScopes: ['platform:verify'] },
    { defaultScopes: ['platform:*'] },
    { defaultScopes: Array(51).fill('read') },
    { allowedNetworks: ['10.0.0.0/33'] },
    { allowedNetworks: '10.0.0.0/8' },
    { maxGraceSeconds: -1 },
    { maxGraceSeconds: 31_536_001 },
    { idleDays: 0 },
    { idleDays: 3651 },
    { keysMayManageKeys: 'yes' },
    { allowBearerKeys: 0 },
    { leakAction: 'ignore' },
    { enforceOnExisting: 'yes' },
    { defaultRateLimit: {} },
    { defaultRateLimit: { limit: 10 } },
    { defaultRateLimit: { limit: 0, windowSeconds: 60 } },
    { defaultRateLimit: { limit: 1_000_001, windowSeconds: 60 } },
    { defaultRateLimit: { limit: 10, windowSeconds: 0 } },
    { defaultRateLimit: { limit: 10, windowSeconds: 86_401 } },
    { defaultRateLimit: { limit: 10, windowSeconds: 60, burst: 5 } },
  ];
  for (const change of refused) {
    it(`refuses ${JSON.stringify(change).slice(0, 80)}`, () => {
      expect(PolicyChange.safeParse(change).success).to.equal(false);
    });
  }

  it('names nothing that could be no scope', () => {
    const problems = (scope: string) => {
      const { error } = PolicyChange.safeParse({ defaultScopes: [scope] });
      return error && fieldErrors(error).map(({ problem }) => problem);
    };
    expect(problems('<script>')).to.deep.equal([{ key: 'not_a_scope' }]);
    expect(problems(`${'x'.repeat(100)}:read`)).to.deep.equal([{ key: 'not_a_scope' }]);
    expect(problems('platform:nonsense')).to.have.length(1);
  });

  it('has a JSON Schema of exactly the fields of the contract', () => {
    const schema = z.toJSONSchema(PolicyChange, { io: 'input' });
    expect(Object.keys(schema.properties ?? {})).to.have.members(Object.keys(whole));
    expect(schema.additionalProperties).to.equal(false);
    expect(schema.required ?? []).to.deep.equal([]);
  });
});

describe('reading a stored policy', () => {
  it('is open, save that keys manage no keys and a leaked key is revoked, where nothing was decided', () => {
    expect(DEFAULT_POLICY).to.deep.equal({
      maxLifetimeDays: null,
      requireExpiry: false,
      defaultScopes: ['read'],
      allowedNetworks: [],
      maxGraceSeconds: 30 * 86_400,
      idleDays: null,
      keysMayManageKeys: false,
      allowBearerKeys: true,
      leakAction: 'revoke',
      enforceOnExisting: false,
      defaultRateLimit: null,
    });
  });

  it('gives the default where nothing was decided', () => {
    expect(readPolicy(null)).to.equal(DEFAULT_POLICY);
    expect(readPolicy('{}')).to.deep.equal(DEFAULT_POLICY);
  });

  it('fills what the text leaves open with defaults', () => {
    expect(readPolicy('{"idleDays":30}')).to.deep.equal({ ...DEFAULT_POLICY, idleDays: 30 });
  });

  it('gives back every rule that was written', () => {
    expect(readPolicy(JSON.stringify(whole))).to.deep.equal(whole);
    expect(readPolicy(JSON.stringify(DEFAULT_POLICY))).to.deep.equal(DEFAULT_POLICY);
  });

  it('parses the same text once, and another text anew', () => {
    expect(readPolicy('{"idleDays":31}')).to.equal(readPolicy('{"idleDays":31}'));
    expect(readPolicy('{"idleDays":32}').idleDays).to.equal(32);
  });

  it('forgets the texts of long ago, so that memory stays bounded', () => {
    const first = readPolicy('{"idleDays":33}');
    for (let i = 1; i <= 1000; i++) readPolicy(`{"maxGraceSeconds":${i}}`);
    expect(readPolicy('{"idleDays":33}')).not.to.equal(first);
  });

  it('gives a frozen policy', () => {
    const shared = readPolicy(JSON.stringify(whole));
    for (const part of [
      shared,
      shared.defaultScopes,
      shared.allowedNetworks,
      shared.defaultRateLimit,
      DEFAULT_POLICY,
      DEFAULT_POLICY.defaultScopes,
    ])
      expect(part).to.be.frozen;
  });

  it('keeps a default scope that has left the catalogue', () => {
    expect(readPolicy('{"defaultScopes":["former:read"]}').defaultScopes).to.deep.equal(['former:read']);
  });

  const unreadable = [
    '',
    ' ',
    'null',
    '[]',
    '"{}"',
    '7',
    'true',
    '{',
    '{}x',
    '{"idleDays":30',
    '{"unknownRule":true}',
    '{"idleDays":"30"}',
  ];
  for (const text of [
    ...unreadable,
    '{"allowedNetworks":["10.0.0.0/99"]}',
    '{"allowedNetworks":null}',
    '{"keysMayManageKeys":null}',
  ]) {
    it(`throws on ${JSON.stringify(text)}, each time, rather than be permissive`, () => {
      for (let i = 0; i < 2; i++) expect(() => readPolicy(text)).to.throw('A stored key policy is not readable');
    });
  }

  it('never gives a policy for a text that was cut short', () => {
    const text = JSON.stringify(whole);
    for (let i = 0; i < text.length; i++) expect(() => readPolicy(text.slice(0, i)), `cut at ${i}`).to.throw();
  });
});

describe('changing a policy', () => {
  it('changes the named fields and leaves the others', () => {
    const after = changePolicy(whole, { idleDays: null, leakAction: 'expire' });
    expect(after).to.deep.equal({ ...whole, idleDays: null, leakAction: 'expire' });
    expect(after).to.be.frozen;
    expect(whole.idleDays).to.equal(30);
  });

  it('takes an undefined field as not named', () => {
    expect(changePolicy(whole, { idleDays: undefined })).to.deep.equal(whole);
  });

  it('never changes the object that holds the change', () => {
    const scopes = ['read'];
    changePolicy(DEFAULT_POLICY, { defaultScopes: scopes });
    expect(scopes).not.to.be.frozen;
  });
});

describe('the lifetime a policy allows', () => {
  it('is any while nothing was decided', () => {
    expect(lifetimeProblem(DEFAULT_POLICY, null, NOW)).to.equal(undefined);
    expect(lifetimeProblem(DEFAULT_POLICY, NOW + 10_000 * DAY, NOW)).to.equal(undefined);
  });

  it('wants an expiry where one is required, or where lifetimes have a maximum', () => {
    expect(lifetimeProblem(policy({ requireExpiry: true }), null, NOW)).to.equal('expiry_required');
    expect(lifetimeProblem(policy({ maxLifetimeDays: 90 }), null, NOW)).to.equal('expiry_required');
    expect(lifetimeProblem(policy({ requireExpiry: true }), NOW + 10_000 * DAY, NOW)).to.equal(undefined);
  });

  it('reaches to the maximum and not a millisecond beyond', () => {
    const ninety = policy({ maxLifetimeDays: 90 });
    expect(lifetimeProblem(ninety, NOW + 90 * DAY, NOW)).to.equal(undefined);
    expect(lifetimeProblem(ninety, NOW + 90 * DAY + 1, NOW)).to.equal('lifetime_too_long');
    expect(lifetimeProblem(ninety, Number.NaN, NOW)).to.equal('lifetime_too_long');
  });
});

describe('the grace a policy allows', () => {
  it('reaches to the maximum and not a second beyond', () => {
    const hour = policy({ maxGraceSeconds: 3600 });
    expect(graceProblem(hour, 3600)).to.equal(undefined);
    expect(graceProblem(hour, 3601)).to.equal('grace_too_long');
    expect(graceProblem(hour, Number.NaN)).to.equal('grace_too_long');
  });

  it('is none at all under a maximum of zero', () => {
    expect(graceProblem(policy({ maxGraceSeconds: 0 }), 0)).to.equal(undefined);
    expect(graceProblem(policy({ maxGraceSeconds: 0 }), 1)).to.equal('grace_too_long');
  });
});

describe('the refusal of a policy', () => {
  it('names the bound', () => {
    expect(policyFault('lifetime_too_long', whole)).to.deep.equal({
      key: 'lifetime_too_long',
      values: { days: 90, seconds: 3600 },
    });
  });
});

describe('an idle key', () => {
  const month = policy({ idleDays: 30 });

  it('is unknown to a policy that sets no days', () => {
    expect(isIdle(DEFAULT_POLICY, { createdAt: 0, lastUsedAt: null }, NOW)).to.equal(false);
  });

  it('is one not used for the whole of those days', () => {
    const created = { createdAt: NOW - 400 * DAY };
    expect(isIdle(month, { ...created, lastUsedAt: NOW - 30 * DAY }, NOW)).to.equal(true);
    expect(isIdle(month, { ...created, lastUsedAt: NOW - 30 * DAY + 1 }, NOW)).to.equal(false);
  });

  it('counts from its creation while it was never used', () => {
    expect(isIdle(month, { createdAt: NOW - 30 * DAY, lastUsedAt: null }, NOW)).to.equal(true);
    expect(isIdle(month, { createdAt: NOW - 30 * DAY + 1, lastUsedAt: null }, NOW)).to.equal(false);
  });

  it('is never one whose creation is younger than a use copied from its predecessor', () => {
    expect(isIdle(month, { createdAt: NOW, lastUsedAt: NOW - 90 * DAY }, NOW)).to.equal(false);
  });

  it('once idle stays idle until it is used', () => {
    const days = fc.nat({ max: 100 });
    fc.assert(
      fc.property(days, days, (age, wait) => {
        const key = { createdAt: NOW, lastUsedAt: null };
        if (isIdle(month, key, NOW + age * DAY)) expect(isIdle(month, key, NOW + (age + wait) * DAY)).to.equal(true);
      }),
    );
  });
});
