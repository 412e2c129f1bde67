import { expect } from 'chai';
import fc from '../support/properties.ts';
import { CATALOGUE, isPlatformScope, namesOf, opens, scopeSetOf } from '../../app/domain/scopeCatalogue.ts';
import { ScopeSet, covers, normaliseScope, roleOfScopes } from '../../app/domain/scope.ts';
import vectors from '../vectors/scopes.json' with { type: 'json' };

const WORD = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const ADMIN_FAMILY = ['admin', 'users', 'members', 'modules', 'settings', 'webhooks', 'api-keys', 'platform'];
const RESOURCE = fc.oneof(fc.constantFrom('projects', 'keys', ...ADMIN_FAMILY), WORD);
const ACTION = fc.oneof(fc.constantFrom('read', 'write', 'delete', 'manage', '*'), WORD);

/** Any normalised scope, those with rules of their own more often than chance would have them. */
const SCOPE = fc
  .oneof(
    fc.constantFrom('*', '*:*', 'read', 'admin:*', 'admin:write', 'platform:*'),
    fc.tuple(RESOURCE, ACTION).map((words) => words.join(':')),
  )
  .map(normaliseScope)
  .filter((scope) => scope !== undefined);

/** Enough scopes to bring every rule against every other. */
const REPRESENTATIVES = [
  ...['*', '*:*', 'read', 'self:read', 'keys:verify', 'platform:verify', 'platform:*', 'users:manage'],
  ...['projects', 'inventory', 'api-keys', 'admin', 'users', 'members', 'platform', 'zebra'].flatMap((resource) =>
    ['read', 'write', 'delete', '*'].map((action) => `${resource}:${action}`),
  ),
];

describe('Scopes', () => {
  describe('the vectors', () => {
    it('are at least eighty, and each decides something of its own', () => {
      const questions = vectors.covers.map(({ granted, required }) => `${granted} ${required}`);
      expect(questions.length).to.be.at.least(80);
      expect(new Set(questions).size).to.equal(questions.length);
      expect(new Set(vectors.normalise.map(({ text }) => text)).size).to.equal(vectors.normalise.length);
    });

    for (const { granted, required, covers: opens, because } of vectors.covers) {
      it(`'${granted}' ${opens ? 'covers' : 'does not cover'} '${required}': ${because}`, () => {
        expect(covers(granted, required)).to.equal(opens);
        expect(ScopeSet.of([granted]).covers(required)).to.equal(opens);
      });
    }

    it('list every alias of the catalogue that is stored under its own name', () => {
      const aliases = CATALOGUE.flatMap(({ scope }) =>
        namesOf(scope).flatMap((name) => (name === scope ? [] : [[name, scope]])),
      );
      expect(Object.fromEntries(aliases)).to.deep.equal(vectors.aliases);
    });

    for (const { granted, required, opens: isOpen, because } of vectors.opens) {
      it(`'${granted}' ${isOpen ? 'opens' : 'does not open'} '${required}': ${because}`, () => {
        expect(opens(granted, required)).to.equal(isOpen);
        expect(scopeSetOf([granted]).covers(required)).to.equal(isOpen);
      });
    }

    for (const { text, scope, because } of vectors.normalise) {
      it(`${JSON.stringify(text)} is read as ${scope ?? 'no scope'}: ${because}`, () => {
        expect(normaliseScope(text) ?? null).to.equal(scope);
      });
    }

    for (const { granted, required, missing, role, because } of vectors.sets) {
      it(`[${granted.join(' ')}] of [${required.join(' ')}] misses [${missing.join(' ')}]: ${because}`, () => {
        expect(ScopeSet.of(granted).missing(required)).to.deep.equal(missing);
        expect(roleOfScopes(granted)).to.equal(role);
      });
    }
  });

  describe('normaliseScope', () => {
    it('leaves alone what it gave', () => {
      fc.assert(fc.property(SCOPE, (scope) => normaliseScope(scope) === scope));
      fc.assert(
        fc.property(fc.tuple(RESOURCE, ACTION), ([resource, action]) => {
          for (const text of [`${resource}:${action}`, `${action}:${resource}`]) {
            const scope = normaliseScope(text);
            if (scope !== undefined) expect(normaliseScope(scope)).to.equal(scope);
          }
        }),
      );
    });

    it('finds no scope in any text outside the grammar', () => {
      const grammar = /^(\*|\*:\*|read|[a-z][a-z0-9-]*:(\*|[a-z][a-z0-9-]*))$/;
      fc.assert(
        fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9:*_ -]{0,12}$/)), (text) => {
          if (!grammar.test(text)) expect(normaliseScope(text)).to.equal(undefined);
        }),
        { numRuns: 1000 },
      );
    });
  });

  describe('covers', () => {
    it('is reflexive', () => {
      fc.assert(fc.property(SCOPE, (scope) => covers(scope, scope)));
    });

    // Every rule is transitive, `read` and the stars included: so a key that may only hand on what it covers can
    // never, through any number of keys, come to more than it had.
    it('is transitive', () => {
      for (const a of REPRESENTATIVES) {
        for (const b of REPRESENTATIVES) {
          if (!covers(a, b)) continue;
          for (const c of REPRESENTATIVES) {
            if (covers(b, c) && !covers(a, c)) expect.fail(`${a} covers ${b}, ${b} covers ${c}, ${a} does not`);
          }
        }
      }
      fc.assert(
        fc.property(SCOPE, SCOPE, SCOPE, (a, b, c) => !covers(a, b) || !covers(b, c) || covers(a, c)),
        { numRuns: 2000 },
      );
    });

    it('is mutual between the two spellings of everything, and nowhere else', () => {
      for (const a of REPRESENTATIVES) {
        for (const b of REPRESENTATIVES) {
          const bothAll = a.startsWith('*') && b.startsWith('*');
          if (a !== b && !bothAll) expect(covers(a, b) && covers(b, a), `${a} ${b}`).to.equal(false);
        }
      }
    });

    it('opens the platform to nothing but its own scopes', () => {
      fc.assert(
        fc.property(SCOPE, ACTION, (granted, action) => {
          const opened = covers(granted, `platform:${action}`);
          expect(opened && !granted.startsWith('platform:'), granted).to.equal(false);
        }),
        { numRuns: 1000 },
      );
    });

    it('opens everything else to a star', () => {
      fc.assert(
        fc.property(SCOPE, fc.constantFrom('*', '*:*'), (scope, star) => {
          expect(covers(star, scope)).to.equal(!scope.startsWith('platform:'));
        }),
      );
    });

    it('goes nowhere by prefix', () => {
      fc.assert(
        fc.property(RESOURCE, WORD, ACTION, ACTION, (resource, tail, held, wanted) => {
          const longer = `${resource}${tail}`;
          fc.pre(resource !== 'admin' && !ADMIN_FAMILY.includes(longer) && !['read', 'write'].includes(resource));
          expect(covers(`${resource}:${held}`, `${longer}:${wanted}`)).to.equal(false);
          expect(covers(`${longer}:${held}`, `${resource}:${wanted}`)).to.equal(false);
        }),
        { numRuns: 1000 },
      );
    });

    it('folds no case', () => {
      fc.assert(
        fc.property(SCOPE, SCOPE, (granted, required) => {
          if (granted.toUpperCase() !== granted) expect(covers(granted.toUpperCase(), required)).to.equal(false);
          if (required.toUpperCase() !== required) expect(covers(granted, required.toUpperCase())).to.equal(false);
        }),
      );
    });

    it('takes either spelling on either side', () => {
      const verb = fc.constantFrom('read', 'write', 'delete', 'manage');
      fc.assert(
        fc.property(SCOPE, RESOURCE, verb, (other, resource, action) => {
          const [usual, verbFirst] = [`${resource}:${action}`, `${action}:${resource}`];
          fc.pre(normaliseScope(usual) === usual);
          expect(covers(verbFirst, other)).to.equal(covers(usual, other));
          expect(covers(other, verbFirst)).to.equal(covers(other, usual));
        }),
      );
    });
  });

  describe('ScopeSet', () => {
    it('covers what one of its scopes covers, asked once or often', () => {
      fc.assert(
        fc.property(fc.array(SCOPE, { maxLength: 6 }), fc.array(SCOPE, { maxLength: 6 }), (granted, required) => {
          const set = ScopeSet.of(granted);
          for (const scope of [...required, ...required]) {
            expect(set.covers(scope)).to.equal(granted.some((held) => covers(held, scope)));
          }
          expect(set.missing(required)).to.deep.equal(required.filter((scope) => !set.covers(scope)));
        }),
      );
    });

    it('holds each scope once, in its one spelling and the order given, and drops what is none', () => {
      const set = ScopeSet.of(['write:files', 'read', 'files:write', 'nonsense', 'READ', '', 'read', '*:read']);
      expect(set.scopes).to.deep.equal(['files:write', 'read']);
    });

    it('answers right through more questions than it remembers', () => {
      const set = ScopeSet.of(['read']);
      for (let asked = 0; asked < 1000; asked++) {
        expect(set.covers(`thing${asked}:read`)).to.equal(true);
        expect(set.covers(`thing${asked}:write`)).to.equal(false);
        expect(set.covers('projects:read')).to.equal(true);
      }
      expect(set.covers(`${'long'.repeat(1000)}:read`)).to.equal(true);
      expect(set.covers(`${'long'.repeat(1000)}:write`)).to.equal(false);
    });

    it('is not confused by the names of Object.prototype', () => {
      const set = ScopeSet.of(['read']);
      for (const text of ['constructor', '__proto__', 'toString', 'constructor:write', 'valueOf:write']) {
        expect(set.covers(text), text).to.equal(false);
      }
    });
  });

  it('makes an owner of no scope in the catalogue but those that may change the key policy', () => {
    const owners = CATALOGUE.map(({ scope }) => scope).filter((scope) => roleOfScopes([scope]) === 'OWNER');
    expect(owners).to.deep.equal(['admin:write', 'admin:*', '*']);
    const others = CATALOGUE.map(({ scope }) => scope).filter((scope) => !owners.includes(scope));
    expect(roleOfScopes(others)).to.equal('MEMBER');
    expect(roleOfScopes([...others, '*:*'])).to.equal('OWNER');
    expect(roleOfScopes([])).to.equal('MEMBER');
  });

  it('opens nothing of the platform to a key that holds every other scope', () => {
    const ordinary = CATALOGUE.map(({ scope }) => scope).filter((scope) => !isPlatformScope(scope));
    expect(ScopeSet.of([...ordinary, '*:*']).missing(CATALOGUE.map(({ scope }) => scope))).to.deep.equal([
      'platform:verify',
      'platform:tenants',
      'platform:routes',
      'platform:scopes',
      'platform:*',
    ]);
  });
});
