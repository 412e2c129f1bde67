import { expect } from 'chai';
import { systemContext, type ActionContext } from '../../../app/actions/actionContext.ts';
import { addMember } from '../../../app/actions/people/addMember.ts';
import { changeMember } from '../../../app/actions/people/changeMember.ts';
import type { CreatedTenant } from '../../../app/actions/tenants/createTenant.ts';
import { createUser } from '../../../app/actions/people/createUser.ts';
import type { Person } from '../../../app/context.ts';
import { newId } from '../../../app/domain/id.ts';
import { DEFAULT_POLICY } from '../../../app/domain/policy.ts';
import { permissionsOf } from '../../../app/domain/role.ts';
import { findMembership, type Membership } from '../../../db/tables/people/memberships.ts';
import { addPlayer, addTenant, bearer, type Part, type Player } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { useServer } from '../../support/useServer.ts';
import { auditedBy, auditedChange, expectRefused } from '../../support/audited.ts';

onEachDatabase('actions on members', (database) => {
  const { server, acme, globex, alice, bob, charlie } = useServer(database);
  let act: ActionContext;
  before(async () => {
    act = systemContext(server.services.db, acme.id);
  });

  const db = () => server.services.db;
  const audited = async (work: () => Promise<unknown>) => auditedBy(server, work);
  const player = async (name: string, part: Part, tenant: CreatedTenant = acme) =>
    addPlayer(server.services, tenant, name, part);

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
      expect(rows.map(auditedChange)).to.deep.equal([['MEMBER_CHANGED', { role: 'MEMBER', permissions: [] }, change]]);
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
});
