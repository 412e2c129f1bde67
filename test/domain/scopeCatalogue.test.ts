import { expect } from 'chai';
import { RESOURCES } from '../../app/domain/resources.ts';
import { covers, normaliseScope } from '../../app/domain/scope.ts';
import {
  ACTIONS,
  CATALOGUE,
  GROUPS,
  isKnownScope,
  isPlatformScope,
  meaningOf,
  opens,
} from '../../app/domain/scopeCatalogue.ts';

const SCOPES = CATALOGUE.map(({ scope }) => scope);

/** Every scope that the contract names, as it is written there. */
const NAMED =
  `read builder:read builder:write billing:read billing:write marketplace:read marketplace:install support:read
  support:write tickets:read tickets:write tickets:delete tickets:* self:write write:self admin:read admin:write admin:* api-keys:read api-keys:write keys:verify self:read read:self *
  projects:read projects:write projects:delete inventory:read products:read products:write orders:read orders:write
  customers:read customers:write files:read files:write files:delete notifications:read write:notifications
  read:activity activity:read webhooks:read webhooks:write members:read members:write development:read dashboard:read
  docs:read settings:read settings:write users:read read:users write:users users:delete users:manage manage:users
  modules:read modules:write platform:verify platform:tenants platform:routes platform:* *:* projects:* users:*
  modules:* settings:* webhooks:*`.split(/\s+/);

describe('the scope catalogue', () => {
  it('lists each scope once, in its one spelling', () => {
    expect(SCOPES.map(normaliseScope)).to.deep.equal(SCOPES);
    expect(new Set(SCOPES).size).to.equal(SCOPES.length);
  });

  it('knows every scope that the contract names', () => {
    for (const text of NAMED) expect(isKnownScope(normaliseScope(text) ?? ''), text).to.equal(true);
  });

  it('has every action on every ordinary resource, and all of them at once', () => {
    const resources = [...RESOURCES.map(({ name }) => name), 'members', 'settings', 'users'];
    const all = resources.flatMap((resource) => [...ACTIONS, '*'].map((action) => `${resource}:${action}`));
    expect(SCOPES).to.include.members(all);
  });

  it('gives every scope with a verb its verb-first name as an alias, but where it has another name', () => {
    for (const { scope, alias } of CATALOGUE) {
      const [resource = '', action = ''] = scope.split(':');
      if (['read', 'write', 'delete', 'manage'].includes(action) && resource !== 'support')
        expect(alias, scope).to.equal(`${action}:${resource}`);
      if (alias === undefined) continue;
      expect(isKnownScope(normaliseScope(alias) ?? ''), alias).to.equal(true);
      expect([opens(scope, alias), opens(alias, scope), meaningOf(alias)], alias).to.deep.equal([true, true, scope]);
    }
  });

  it('knows all of a resource where it knows the resource, and nothing else beside', () => {
    for (const scope of ['builder:*', 'api-keys:*', 'self:*', 'keys:*', 'platform:*', '*:*']) {
      expect(isKnownScope(scope), scope).to.equal(true);
    }
    const unknown = ['', 'zebra:*', 'zebra:read', 'projects:fly', 'read:*', '*:read', 'read:users', 'READ', 'projects'];
    for (const scope of [...unknown, 'platform:read', 'api-keys:manage', 'constructor', '__proto__']) {
      expect(isKnownScope(scope), scope).to.equal(false);
    }
  });

  it('tells the platform’s scopes from a tenant’s', () => {
    expect(SCOPES.filter(isPlatformScope)).to.deep.equal(SCOPES.filter((scope) => scope.startsWith('platform:')));
    expect(isPlatformScope('platform:anything')).to.equal(true);
    expect(isPlatformScope('read:platform')).to.equal(true);
    for (const scope of ['*', '*:*', 'platforms:read', 'platform'])
      expect(isPlatformScope(scope), scope).to.equal(false);
  });

  it('keeps each group together, in the order of the groups', () => {
    const order = CATALOGUE.map(({ group }) => group).filter((group, at, all) => group !== all[at - 1]);
    expect(order).to.deep.equal(GROUPS.map(({ id }) => id));
  });

  it('keeps full access and the platform out of the groups that may be ticked as a whole', () => {
    for (const { scope, group } of CATALOGUE) {
      expect(group === 'everything', scope).to.equal(covers(scope, '*'));
      expect(group === 'platform', scope).to.equal(isPlatformScope(scope));
    }
  });

  describe('in words', () => {
    const texts = [...CATALOGUE.map(({ scope, description }) => ({ name: scope, ...description }))];
    const titles = GROUPS.map(({ id, title }) => ({ name: id, ...title }));

    it('describes every scope and group in both languages', () => {
      for (const { name, en, fr } of texts) {
        expect(en, name).to.match(/^[A-Z].{9,}\.$/);
        expect(fr, name).to.match(/^[A-ZÀÉÊ].{9,}\.$/);
        expect(fr, name).not.to.equal(en);
      }
      for (const { name, en, fr } of titles) {
        expect(en.length, name).to.be.above(0);
        expect(fr.length, name).to.be.above(0);
      }
    });

    it('describes each scope in words of its own', () => {
      expect(new Set(texts.map(({ en }) => en)).size).to.equal(texts.length);
      expect(new Set(texts.map(({ fr }) => fr)).size).to.equal(texts.length);
      expect(new Set(titles.map(({ fr }) => fr)).size).to.equal(titles.length);
    });

    it('keeps to typographic apostrophes, and to no-break spaces before French double punctuation', () => {
      for (const { name, en, fr } of [...texts, ...titles]) {
        expect(en + fr, name).not.to.match(/['"]|\s\s/);
        expect(fr, name).not.to.match(/(^|[^\u00a0\u202f])[;:!?»](?!\w)/);
      }
    });
  });
});
