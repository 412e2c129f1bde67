import { expect } from 'chai';
import { systemContext, type ActionContext } from '../../app/actions/actionContext.ts';
import { addMember } from '../../app/actions/people/addMember.ts';
import { changeMember } from '../../app/actions/people/changeMember.ts';
import { createTenant, type CreatedTenant } from '../../app/actions/tenants/createTenant.ts';
import { createUser } from '../../app/actions/people/createUser.ts';
import { changeUser } from '../../app/actions/people/changeUser.ts';
import { updateTenant } from '../../app/actions/tenants/updateTenant.ts';
import type { Person } from '../../app/context.ts';
import { newId } from '../../app/domain/id.ts';
import { DEFAULT_POLICY } from '../../app/domain/policy.ts';
import { permissionsOf } from '../../app/domain/role.ts';
import { AppError, type ErrorCode } from '../../app/errors.ts';
import { findMembership, type Membership } from '../../db/tables/people/memberships.ts';
import { changeTenant, findTenant, findTenantNamed } from '../../db/tables/tenants.ts';
import { findUser } from '../../db/tables/people/users.ts';
import { addPlayer, addTenant, bearer, type Part, type Player } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useServer } from '../support/useServer.ts';

interface AuditRow {
  id: string;
  tenant_id: string | null;
  action: string;
  entity_id: string;
  before: string | null;
  after: string | null;
}

onEachDatabase('tenants and people', (database) => {
  const { server, acme, globex, alice, bob, charlie } = useServer(database);
  let act: ActionContext;
  before(async () => {
    act = systemContext(server.services.db, acme.id);
  });

  const db = () => server.services.db;
  const player = async (name: string, part: Part, tenant: CreatedTenant = acme) =>
    addPlayer(server.services, tenant, name, part);

  /** What the work wrote down, as `[action, before, after]`. */
  async function audited(work: () => Promise<unknown>): Promise<AuditRow[]> {
    const known = new Set((await db()<AuditRow>('audit_logs').select('id')).map(({ id }) => id));
    await work();
    const rows = await db()<AuditRow>('audit_logs').orderBy('id');
    return rows.filter(({ id }) => !known.has(id));
  }

  const told = ({ action, before, after }: AuditRow) => [
    action,
    JSON.parse(before ?? 'null') as unknown,
    JSON.parse(after ?? 'null') as unknown,
  ];

  async function expectRefused(work: Promise<unknown>, code: ErrorCode): Promise<void> {
    const error: unknown = await work.catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(AppError).that.includes({ code });
  }

  async function memberOf(user: Player, tenant = acme): Promise<Membership | undefined> {
    return findMembership(db(), tenant.id, user.id);
  }

  /** An act of this person in Acme, with what the database says of them. */
  async function actOf(user: Player, operator = false): Promise<ActionContext> {
    const membership = await memberOf(user);
    if (!membership) throw new Error(`${user.name} is no member`);
    const { role } = membership;
    const principal: Person = {
      type: 'user',
      id: user.id,
      name: user.name,
      tenant: { id: acme.id, slug: acme.slug, policy: DEFAULT_POLICY },
      role,
      permissions: permissionsOf(role, membership.permissions),
      operator,
    };
    return { ...act, actor: { type: 'user', id: user.id, name: user.name }, principal };
  }

  describe('creating a tenant', () => {
    it('makes an active one with the default policy, and writes it down in its own log', async () => {
      let made: CreatedTenant | undefined;
      const rows = await audited(
        async () => (made = await createTenant(act, { name: 'Initech', externalId: 'crm-7' })),
      );
      const tenant = await findTenant(db(), made?.id ?? '');
      expect(tenant).to.include({
        slug: 'initech',
        name: 'Initech',
        externalId: 'crm-7',
        status: 'active',
        plan: 'free',
      });
      expect(tenant?.policy).to.deep.equal(DEFAULT_POLICY);
      expect(rows.map(told)).to.deep.equal([
        ['TENANT_CREATED', null, { name: 'Initech', slug: 'initech', externalId: 'crm-7' }],
      ]);
      expect(rows[0]).to.include({ tenant_id: tenant?.id, entity_id: tenant?.id });
    });

    it('numbers the slugs of tenants with the same name, also when they are made at once', async () => {
      const made = await Promise.all([1, 2, 3].map(async () => createTenant(act, { name: 'Same Name' })));
      const slugs = ['same-name', 'same-name-2', 'same-name-3'];
      expect(made.map(({ slug }) => slug)).to.have.members(slugs);
      expect((await createTenant(act, { name: 'Same Name' })).slug).to.equal('same-name-4');
    });

    it('is 409 for a slug that was asked for and is taken, also when two ask at once', async () => {
      await expectRefused(createTenant(act, { name: 'X', slug: 'acme' }), 'conflict');
      const asked = [1, 2].map(async () => createTenant(act, { name: 'X', slug: 'both-want-it' }));
      const outcomes = await Promise.allSettled(asked);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      await expectRefused(Promise.all(asked), 'conflict');
    });

    it('is found by id in any case, and by its slug alone', async () => {
      const { id, slug } = acme;
      for (const name of [id, id.toUpperCase(), slug]) {
        expect(await findTenantNamed(db(), name)).to.have.property('id', id);
      }
      for (const name of ['ACME', 'acme ', 'acmé', '', '0', newId()]) {
        expect(await findTenantNamed(db(), name), name).to.equal(undefined);
      }
    });
  });

  describe('changing a tenant', () => {
    it('changes what is named, writes down what differs, and nothing where nothing does', async () => {
      const { id } = await addTenant(server.services, 'Umbrella');
      const change = { name: 'Umbrella Ltd', externalId: 'crm-9' };
      const rows = await audited(async () => updateTenant(act, id, change));
      expect(await findTenant(db(), id)).to.include({ ...change, slug: 'umbrella', status: 'active' });
      expect(rows.map(told)).to.deep.equal([['TENANT_UPDATED', { name: 'Umbrella', externalId: null }, change]]);
      expect(rows[0]).to.include({ tenant_id: id, entity_id: id });
      expect(await audited(async () => updateTenant(act, id, change))).to.deep.equal([]);
      expect((await updateTenant(act, id, { externalId: null })).externalId).to.equal(null);
    });

    it('moves a tenant to another slug at once, unless that is taken', async () => {
      const tenant = await addTenant(server.services, 'Hooli');
      const owner = await player('Gavin', { role: 'OWNER' }, tenant);
      await updateTenant(act, tenant.id, { slug: 'hooli-xyz' });
      const whoami = await server.get('/api/whoami', { ...bearer(owner), 'x-tenant-id': 'hooli-xyz' });
      expect(whoami.status).to.equal(200);
      await expectRefused(updateTenant(act, tenant.id, { slug: 'acme' }), 'conflict');
    });

    it('suspends: its people are refused from the next request on, until it is active again', async () => {
      const tenant = await addTenant(server.services, 'Soylent');
      const owner = await player('Sol', { role: 'OWNER' }, tenant);
      await updateTenant(act, tenant.id, { status: 'suspended' });
      const refused = await server.get('/api/v1/whoami', bearer(owner));
      expect(refused.status).to.equal(403);
      expect(refused.body).to.include({ code: 'tenant_suspended' });
      await updateTenant(act, tenant.id, { status: 'active' });
      expect((await server.get('/api/v1/whoami', bearer(owner))).status).to.equal(200);
    });

    it('keeps a policy as it was stored', async () => {
      const { id } = await addTenant(server.services, 'Wonka');
      const policy = { ...DEFAULT_POLICY, maxLifetimeDays: 30, allowedNetworks: ['192.0.2.0/24'] };
      await changeTenant(db(), id, { policy }, Date.now());
      expect((await findTenant(db(), id))?.policy).to.deep.equal(policy);
    });

    it('is 404 for a tenant nobody has', async () => {
      await expectRefused(updateTenant(act, newId(), { name: 'X' }), 'not_found');
    });
  });

  describe('creating a person', () => {
    const input = { name: 'Kim', password: 'correct horse battery' };

    it('makes them a member, and writes down both without the password', async () => {
      const email = 'kim@acme.example';
      let id = '';
      const rows = await audited(async () => {
        ({ id } = await createUser(act, {
          ...input,
          email,
          membership: { role: 'MEMBER', permissions: ['audit:read'] },
        }));
      });
      expect(rows.map(told)).to.deep.equal([
        ['USER_CREATED', null, { email, name: 'Kim' }],
        ['MEMBER_ADDED', null, { email, role: 'MEMBER', permissions: ['audit:read'] }],
      ]);
      for (const row of rows) expect(row).to.include({ tenant_id: acme.id, entity_id: id });
      const user = await findUser(db(), id);
      expect(user).to.include({ email, status: 'active', operator: false, lastLoginAt: null });
      expect(user?.passwordHash).to.match(/^\$argon2id\$/);
    });

    it('is 409 for an email somebody has, also when two ask at once, and leaves nothing behind', async () => {
      await expectRefused(createUser(act, { ...input, email: alice.email }), 'conflict');
      const both = [1, 2].map(async () =>
        createUser(act, { ...input, email: 'lee@acme.example', password: null, membership: { role: 'MEMBER' } }),
      );
      const outcomes = await Promise.allSettled(both);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      await expectRefused(Promise.all(both), 'conflict');
    });

    it('is 422 for a password that cannot be one', async () => {
      await expectRefused(createUser(act, { ...input, email: 'mo@acme.example', password: 'short' }), 'invalid_input');
    });
  });

  describe('adding a member', () => {
    it('takes somebody into one more tenant, once', async () => {
      const nora = await player('Nora', { role: 'MEMBER' }, globex);
      await addMember(act, nora.id, { role: 'ADMIN', permissions: ['members:read'] });
      expect(await memberOf(nora)).to.deep.include({ role: 'ADMIN', permissions: ['members:read'] });
      expect(await memberOf(nora, globex)).to.include({ role: 'MEMBER' });
      await expectRefused(addMember(act, nora.id, { role: 'OWNER' }), 'conflict');
      await expectRefused(addMember(act, newId(), { role: 'MEMBER' }), 'not_found');
    });

    it('gives no more than its giver holds', async () => {
      const otto = await player('Otto', { role: 'MEMBER' }, globex);
      const pat = await player('Pat', { role: 'ADMIN', permissions: ['members:manage'] });
      const byPat = await actOf(pat);
      await expectRefused(addMember(byPat, otto.id, { role: 'OWNER' }), 'insufficient_permission');
      const beyond = { role: 'MEMBER', permissions: ['api-keys:manage'] } as const;
      await expectRefused(addMember(byPat, otto.id, beyond), 'insufficient_permission');
      const withMember = { name: 'Q', email: 'q@acme.example', password: null, membership: { role: 'OWNER' } } as const;
      await expectRefused(createUser(byPat, withMember), 'insufficient_permission');
      await addMember(byPat, otto.id, { role: 'ADMIN' });
      expect(await memberOf(otto)).to.include({ role: 'ADMIN' });
    });
  });

  describe('changing a member', () => {
    it('holds from their next request on, and is written down by what differs', async () => {
      const quinn = await player('Quinn', { role: 'MEMBER' });
      const change = { role: 'ADMIN', permissions: ['api-keys:manage'] } as const;
      const rows = await audited(async () => changeMember(act, quinn.id, change));
      expect(rows.map(told)).to.deep.equal([['MEMBER_CHANGED', { role: 'MEMBER', permissions: [] }, change]]);
      const whoami = await server.get('/api/v1/whoami', bearer(quinn));
      expect(whoami.body).to.have.property('permissions').that.includes('api-keys:manage');
      expect(await audited(async () => changeMember(act, quinn.id, { role: 'ADMIN' }))).to.deep.equal([]);
    });

    it('keeps the last owner one, also when two owners demote each other at once', async () => {
      const tenant = await addTenant(server.services, 'Two Owners');
      const inTenant = systemContext(db(), tenant.id);
      const owners = [await player('Ria', { role: 'OWNER' }, tenant), await player('Sam', { role: 'OWNER' }, tenant)];
      const outcomes = await Promise.allSettled(
        owners.map(async ({ id }) => changeMember(inTenant, id, { role: 'MEMBER' })),
      );
      expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
      const roles = await Promise.all(owners.map(async (owner) => (await memberOf(owner, tenant))?.role));
      expect(roles.sort()).to.deep.equal(['MEMBER', 'OWNER']);
      for (const { id } of owners) {
        if ((await findMembership(db(), tenant.id, id))?.role !== 'OWNER') continue;
        await expectRefused(changeMember(inTenant, id, { role: 'ADMIN' }), 'conflict');
        await changeMember(inTenant, id, { permissions: ['audit:read'] });
      }
    });

    it('is not for those who hold less than the member has, or would have', async () => {
      const tess = await player('Tess', { role: 'ADMIN', permissions: ['members:manage'] });
      const uma = await player('Uma', { role: 'MEMBER', permissions: ['api-keys:manage'] });
      const byTess = await actOf(tess);
      await expectRefused(changeMember(byTess, alice.id, { role: 'MEMBER' }), 'insufficient_permission');
      await expectRefused(changeMember(byTess, tess.id, { role: 'OWNER' }), 'insufficient_permission');
      await expectRefused(changeMember(byTess, uma.id, { permissions: [] }), 'insufficient_permission');
      await changeMember(byTess, bob.id, { role: 'ADMIN' });
      await changeMember(await actOf(alice), uma.id, { permissions: [] });
      expect(await memberOf(uma)).to.deep.include({ permissions: [] });
    });

    it('is 404 for a member of another tenant', async () => {
      await expectRefused(changeMember(act, charlie.id, { role: 'MEMBER' }), 'not_found');
    });
  });

  describe('disabling a person', () => {
    it('refuses their token from the next request on, and is written down once', async () => {
      const vera = await player('Vera', { role: 'MEMBER' });
      const rows = await audited(async () => {
        await changeUser(act, vera.id, { status: 'disabled' });
        await changeUser(act, vera.id, { status: 'disabled' });
      });
      expect(rows.map(told)).to.deep.equal([['USER_DISABLED', { status: 'active' }, { status: 'disabled' }]]);
      expect((await server.get('/api/v1/whoami', bearer(vera))).body).to.include({ code: 'invalid_token' });
      await changeUser(act, vera.id, { status: 'active' });
      expect((await server.get('/api/v1/whoami', bearer(vera))).status).to.equal(200);
    });

    it('leaves one operator, also when two are disabled at once', async () => {
      const operators = [
        await player('Wes', { role: 'MEMBER', operator: true }),
        await player('Xia', { role: 'MEMBER', operator: true }),
      ];
      const outcomes = await Promise.allSettled(
        operators.map(async ({ id }) => changeUser(act, id, { status: 'disabled' })),
      );
      expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    });
  });
});
