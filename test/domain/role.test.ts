import { expect } from 'chai';
import fc from '../support/properties.ts';
import {
  PERMISSIONS,
  permissionsOf,
  roleCoversScope,
  ROLES,
  type Permission,
  type Role,
} from '../../app/domain/role.ts';
import { CATALOGUE } from '../../app/domain/scopeCatalogue.ts';

const role = fc.constantFrom(...ROLES);
const granted = fc.subarray([...PERMISSIONS]);
const anyScope = fc.oneof(
  fc.constantFrom(
    ...CATALOGUE.map(({ scope }) => scope),
    '*:*',
    'billing:*',
    'projects:*',
    'read:users',
    'write:billing',
  ),
  fc.stringMatching(/^[a-z:*-]{0,12}$/),
);

describe('the permissions of a person', () => {
  it('an owner holds every one, whatever was granted', () => {
    fc.assert(
      fc.property(granted, (some) => {
        expect([...permissionsOf('OWNER', some)]).to.have.members([...PERMISSIONS]);
      }),
    );
  });

  it('an admin sees keys and the audit log, and holds what was granted', () => {
    expect([...permissionsOf('ADMIN', [])]).to.have.members(['api-keys:read', 'audit:read']);
    expect([...permissionsOf('ADMIN', ['api-keys:manage', 'audit:read'])]).to.have.members([
      'api-keys:read',
      'audit:read',
      'api-keys:manage',
    ]);
  });

  it('a member holds what was granted and nothing else', () => {
    fc.assert(
      fc.property(granted, (some) => {
        expect([...permissionsOf('MEMBER', some)]).to.have.members(some);
      }),
    );
  });

  it('a text that is no permission grants nothing', () => {
    const odd = ['api-keys', '*', 'api-keys:*', 'API-KEYS:READ', 'toString', ''];
    expect([...permissionsOf('MEMBER', odd)]).to.deep.equal([]);
  });

  it('one person’s set is never another’s', () => {
    (permissionsOf('ADMIN', []) as Set<Permission>).add('billing:manage');
    (permissionsOf('OWNER', []) as Set<Permission>).clear();
    expect([...permissionsOf('ADMIN', [])]).to.have.members(['api-keys:read', 'audit:read']);
    expect([...permissionsOf('OWNER', [])]).to.have.members([...PERMISSIONS]);
  });
});

describe('the scopes a role stands for', () => {
  /** Which roles open a route with this scope: Owner, Admin, Member. */
  const table: Record<string, string> = {
    // the routes that API.md names
    read: 'OAM',
    'builder:write': 'OAM',
    'builder:read': 'OAM',
    'billing:write': 'O',
    'billing:read': 'OAM',
    'marketplace:install': 'OA',
    'marketplace:read': 'OAM',
    'support:write': 'OAM',
    'support:read': 'OAM',
    'admin:write': 'O',
    'admin:read': 'OA',
    'keys:verify': 'OA',
    // ordinary records
    'projects:read': 'OAM',
    'projects:write': 'OAM',
    'projects:delete': 'OA',
    'projects:*': 'OA',
    'inventory:write': 'OAM',
    'products:write': 'OAM',
    'orders:write': 'OAM',
    'customers:write': 'OAM',
    'files:write': 'OAM',
    'notifications:write': 'OAM',
    'activity:write': 'OAM',
    'self:read': 'OAM',
    // the admin family
    'webhooks:read': 'OA',
    'webhooks:write': 'OA',
    'users:read': 'OA',
    'users:write': 'OA',
    'users:manage': 'OA',
    'members:write': 'OA',
    'modules:write': 'OA',
    'settings:write': 'OA',
    'api-keys:read': 'OA',
    'api-keys:write': 'OA',
    // what would hold the withheld ones
    '*': 'O',
    '*:*': 'O',
    'admin:*': 'O',
    'billing:*': 'O',
    // withheld for any action but reading
    'admin:delete': 'O',
    'admin:manage': 'O',
    'billing:delete': 'O',
    // other spellings of the same
    'write:billing': 'O',
    'write:admin': 'O',
    'manage:admin': 'O',
    'read:billing': 'OAM',
    'write:projects': 'OAM',
    'read:users': 'OA',
    'write:users': 'OA',
    // resources nobody declared ordinary
    'payroll:read': 'OAM',
    'payroll:write': 'OA',
    'marketplace:write': 'OA',
    'keys:write': 'OA',
    // above tenants
    'platform:verify': '',
    'platform:tenants': '',
    'platform:routes': '',
    'platform:*': '',
    'platform:read': '',
    'read:platform': '',
    'write:platform': '',
    // no scopes
    '': '',
    write: '',
    'Projects:read': '',
    'projects:read ': '',
    ' *': '',
    '*:read': '',
    'billing:write:x': '',
    'read:write': '',
    'toString:constructor ': '',
  };

  for (const [scope, openTo] of Object.entries(table)) {
    it(`${JSON.stringify(scope)} is open to ${openTo || 'nobody'}`, () => {
      const roles = ROLES.filter((one) => roleCoversScope(one, scope)).map((one) => one[0]);
      expect(roles.join('')).to.equal(openTo);
    });
  }

  it('an owner opens the whole catalogue but the platform', () => {
    for (const { scope, group } of CATALOGUE)
      expect(roleCoversScope('OWNER', scope), scope).to.equal(group !== 'platform');
  });

  it('an admin opens the catalogue but billing:write, admin:write, what holds them, and the platform', () => {
    const closed = CATALOGUE.filter(({ scope }) => !roleCoversScope('ADMIN', scope)).map(({ scope }) => scope);
    expect(closed.filter((scope) => !scope.startsWith('platform:'))).to.have.members([
      'billing:write',
      'admin:write',
      'admin:*',
      '*',
    ]);
  });

  it('an operator opens the platform in any role, and gains nothing else by it', () => {
    fc.assert(
      fc.property(role, anyScope, (one, scope) => {
        const platform = /^platform:|^(read|write|delete|manage):platform$/.test(scope);
        if (!platform) expect(roleCoversScope(one, scope, true)).to.equal(roleCoversScope(one, scope));
      }),
    );
    for (const one of ROLES)
      for (const scope of ['platform:verify', 'platform:tenants', 'platform:routes', 'platform:*', 'write:platform']) {
        expect(roleCoversScope(one, scope, true), `${one} ${scope}`).to.equal(true);
        expect(roleCoversScope(one, scope, false), `${one} ${scope}`).to.equal(false);
      }
  });

  it('what a member opens an admin opens, and what an admin opens an owner opens', () => {
    fc.assert(
      fc.property(anyScope, (scope) => {
        if (roleCoversScope('MEMBER', scope)) expect(roleCoversScope('ADMIN', scope)).to.equal(true);
        if (roleCoversScope('ADMIN', scope)) expect(roleCoversScope('OWNER', scope)).to.equal(true);
      }),
    );
  });

  it('a role nobody knows opens nothing', () => {
    for (const { scope } of CATALOGUE) expect(roleCoversScope('ROOT' as Role, scope), scope).not.to.equal(true);
  });
});
