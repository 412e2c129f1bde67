import { expect } from 'chai';
import { systemContext, type ActionContext } from '../../../app/actions/actionContext.ts';
import type { CreatedTenant } from '../../../app/actions/tenants/createTenant.ts';
import { createUser } from '../../../app/actions/people/createUser.ts';
import { changeUser } from '../../../app/actions/people/changeUser.ts';
import { findUser } from '../../../db/tables/people/users.ts';
import { addPlayer, bearer, type Part } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { useServer } from '../../support/useServer.ts';
import { auditedBy, auditedChange, expectRefused } from '../../support/audited.ts';

onEachDatabase('actions on people', (database) => {
  const { server, acme, alice } = useServer(database);
  let act: ActionContext;
  before(async () => {
    act = systemContext(server.services.db, acme.id);
  });

  const db = () => server.services.db;
  const audited = async (work: () => Promise<unknown>) => auditedBy(server, work);
  const player = async (name: string, part: Part, tenant: CreatedTenant = acme) =>
    addPlayer(server.services, tenant, name, part);

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
      expect(rows.map(auditedChange)).to.deep.equal([
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

  describe('disabling a person', () => {
    it('refuses their token from the next request on, and is written down once', async () => {
      const vera = await player('Vera', { role: 'MEMBER' });
      const rows = await audited(async () => {
        await changeUser(act, vera.id, { status: 'disabled' });
        await changeUser(act, vera.id, { status: 'disabled' });
      });
      expect(rows.map(auditedChange)).to.deep.equal([['USER_DISABLED', { status: 'active' }, { status: 'disabled' }]]);
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
