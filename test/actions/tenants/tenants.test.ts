import { expect } from 'chai';
import { systemContext, type ActionContext } from '../../../app/actions/actionContext.ts';
import { createTenant, type CreatedTenant } from '../../../app/actions/tenants/createTenant.ts';
import { updateTenant } from '../../../app/actions/tenants/updateTenant.ts';
import { newId } from '../../../app/domain/id.ts';
import { DEFAULT_POLICY } from '../../../app/domain/policy.ts';
import { changeTenant, findTenant, findTenantNamed } from '../../../db/tables/tenants.ts';
import { addPlayer, addTenant, bearer, type Part } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { useServer } from '../../support/useServer.ts';
import { auditedBy, auditedChange, expectRefused } from '../../support/audited.ts';

onEachDatabase('actions on tenants', (database) => {
  const { server, acme } = useServer(database);
  let act: ActionContext;
  before(async () => {
    act = systemContext(server.services.db, acme.id);
  });

  const db = () => server.services.db;
  const audited = async (work: () => Promise<unknown>) => auditedBy(server, work);
  const player = async (name: string, part: Part, tenant: CreatedTenant = acme) =>
    addPlayer(server.services, tenant, name, part);

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
      expect(rows.map(auditedChange)).to.deep.equal([
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
      expect(rows.map(auditedChange)).to.deep.equal([
        ['TENANT_UPDATED', { name: 'Umbrella', externalId: null }, change],
      ]);
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
});
