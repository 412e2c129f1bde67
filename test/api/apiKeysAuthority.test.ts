import { expect } from 'chai';
import { BUILT_IN } from '../../app/domain/scopeCatalogue.ts';
import { presentScopes } from '../../app/api/answers/scopes.ts';
import { changePolicy, DEFAULT_POLICY } from '../../app/domain/policy.ts';
import { changeTenant } from '../../db/tables/tenants.ts';
import { addPlayer, as, PASSWORD, type Player } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { detailOf, issue, keyOf, refusal, tried, type Key } from '../support/keys.ts';
import { acmePage } from '../support/organisationPages.ts';
import { useServer } from '../support/useServer.ts';
import { Visitor } from '../support/visitor.ts';

onEachDatabase('whoever manages keys', (database) => {
  const { server, acme, alice, bob, carol } = useServer(database);
  /** MEMBER who was granted the management of keys. */
  let maud: Player;
  let operator: Player;
  let strong: Key;

  before(async () => {
    maud = await addPlayer(server.services, acme, 'Maud', {
      role: 'MEMBER',
      permissions: ['api-keys:read', 'api-keys:manage', 'audit:read'],
    });
    operator = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
    strong = await issue(server, as(alice), { name: 'strong', scopes: ['*'] });
  });

  describe('a person', () => {
    it('without the permission changes nothing', async () => {
      for (const player of [bob, carol]) {
        for (const answer of await everyChange(as(player), strong.id)) {
          refusal(answer, 403, 'insufficient_permission');
        }
      }
    });

    it('without the permission to read sees nothing, and an admin sees all', async () => {
      for (const path of [
        '',
        `/${strong.id}`,
        `/${strong.id}/usage`,
        `/${strong.id}/usage/stats`,
        '/scopes/available',
      ]) {
        refusal(await server.get(`/api/api-keys${path}`, as(bob)), 403, 'insufficient_permission');
        expect((await server.get(`/api/api-keys${path}`, as(carol))).status).to.equal(200);
      }
    });

    it('who was granted it gives no more than their role covers', async () => {
      await issue(server, as(maud), { scopes: ['read', 'projects:write'] });
      for (const scope of ['*', '*:*', 'admin:write', 'billing:write', 'projects:delete', 'api-keys:write']) {
        const answer = await create(as(maud), ['read', scope]);
        refusal(answer, 403, 'insufficient_permission');
        expect(detailOf(answer)).to.include(` ${scope}.`);
      }
    });

    it('who was granted it cannot raise a key either', async () => {
      const { id } = await issue(server, as(maud), { scopes: ['read'] });
      const answer = await server.patch(`/api/api-keys/${id}`, { scopes: ['read', 'admin:*'] }, as(maud));
      refusal(answer, 403, 'insufficient_permission');
    });

    it('who was granted it neither changes nor rotates a stronger key, but may stop it', async () => {
      const { id, key } = await issue(server, as(alice), { scopes: ['admin:write'] });
      refusal(await server.patch(`/api/api-keys/${id}`, { name: 'mine' }, as(maud)), 403, 'insufficient_permission');
      refusal(await server.post(`/api/api-keys/${id}/rotate`, {}, as(maud)), 403, 'insufficient_permission');
      expect(await tried(server, key)).to.equal('200');
      expect((await server.delete(`/api/api-keys/${id}`, as(maud))).status).to.equal(200);
      expect(await tried(server, key)).to.equal('401 key_revoked');
    });

    it('grants the platform as an operator only', async () => {
      for (const scopes of [['platform:verify'], ['read', 'platform:*']]) {
        const answer = await create(as(alice), scopes);
        refusal(answer, 403, 'insufficient_permission');
        expect(detailOf(answer)).to.include('operator');
        keyOf(await create(as(operator), scopes), 201);
      }
    });

    it('sees the scopes of the platform as an operator only', async () => {
      const scopesFor = async (player: Player) =>
        ((await server.get('/api/api-keys/scopes/available', as(player))).body as { scopes: string[] }).scopes;
      const [asOwner, asOperator] = [await scopesFor(alice), await scopesFor(operator)];
      expect(asOwner)
        .to.include('read')
        .and.to.deep.equal(asOperator.filter((scope) => !scope.startsWith('platform:')));
      const routes = new Map([['platform:verify', ['POST /api/v1/keys/verify']]]);
      expect(presentScopes(BUILT_IN, routes, { operator: false, locale: 'en' }).scopes).to.deep.equal([]);
      expect(presentScopes(BUILT_IN, routes, { operator: true, locale: 'en' }).scopes).to.deep.equal([
        'platform:verify',
        'platform:*',
      ]);
    });
  });

  describe('a key', () => {
    let manager: Key;

    before(async () => {
      const scopes = ['api-keys:write', 'projects:write', 'read'];
      manager = await issue(server, as(alice), { name: 'manager', scopes });
    });

    it('does nothing with keys unless the policy lets it, whatever it holds', async () => {
      for (const key of [manager, strong]) {
        for (const answer of await everyChange(by(key), manager.id)) refusal(answer, 403, 'insufficient_permission');
        refusal(await server.get('/api/api-keys', by(key)), 403, 'insufficient_permission');
      }
    });

    describe('where the policy lets it', () => {
      before(async () => letKeysManageKeys(true));
      after(async () => letKeysManageKeys(false));

      it('makes service tokens with no more than its own scopes', async () => {
        const made = keyOf(await create(by(manager), ['projects:read', 'orders:read']), 201);
        expect(made).to.deep.include({ owner: 'tenant', createdBy: manager.id });
        for (const scope of ['orders:write', '*', 'admin:read', 'projects:*']) {
          const answer = await create(by(manager), ['read', scope]);
          refusal(answer, 403, 'insufficient_scope');
          expect(detailOf(answer)).to.equal(`Missing required scope: ${scope}`);
          expect(answer.headers['www-authenticate']).to.include(`scope="${scope}"`);
        }
      });

      it('needs the scope for it', async () => {
        const reader = await issue(server, as(alice), { scopes: ['api-keys:read', 'read'] });
        expect((await server.get('/api/api-keys', by(reader))).status).to.equal(200);
        for (const answer of await everyChange(by(reader), reader.id)) {
          refusal(answer, 403, 'insufficient_scope');
          expect(detailOf(answer)).to.equal('Missing required scope: api-keys:write');
        }
        const other = await issue(server, as(alice), { scopes: ['projects:write'] });
        refusal(await server.get('/api/api-keys', by(other)), 403, 'insufficient_scope');
      });

      it('cannot raise a key, itself included', async () => {
        const answer = await server.patch(`/api/api-keys/${manager.id}`, { scopes: ['*'] }, by(manager));
        refusal(answer, 403, 'insufficient_scope');
      });

      it('lays no hand on a stronger key, not even to stop it', async () => {
        for (const answer of await everyChange(by(manager), strong.id)) {
          if (answer.status !== 201) refusal(answer, 403, 'insufficient_scope');
        }
        expect(await tried(server, strong.key)).to.equal('200');
      });

      it('never grants the platform, even where it holds it', async () => {
        const platform = await issue(server, as(operator), { scopes: ['platform:*', '*'] });
        refusal(await create(by(platform), ['platform:verify']), 403, 'insufficient_permission');
        keyOf(await create(by(platform), ['*']), 201);
      });

      it('that belongs to a person makes that person a key if asked, and one of the tenant makes nobody one', async () => {
        const own = await issue(server, as(alice), { scopes: ['*'], owner: 'user' });
        const made = keyOf(await server.post('/api/api-keys', { name: 'hers', owner: 'user' }, by(own)), 201);
        const row = (await server.services.db('api_keys').where({ id: made.id }).first()) as { user_id: string };
        expect(row.user_id).to.equal(alice.id);
        const refused = await server.post('/api/api-keys', { name: 'whose', owner: 'user' }, by(strong));
        expect(refusal(refused, 422, 'invalid_input')).to.deep.equal(['owner']);
      });

      it('rotates none of a person but its own, nor does another person, since the new key would act for that person', async () => {
        const own = await issue(server, as(alice), { scopes: ['projects:read'], owner: 'user' });
        const hers = await issue(server, as(alice), { scopes: ['*'], owner: 'user' });
        const kim = await addPlayer(server.services, acme, 'Kit', { role: 'OWNER' });
        for (const headers of [as(kim), by(strong)]) {
          refusal(await server.post(`/api/api-keys/${own.id}/rotate`, {}, headers), 403, 'insufficient_permission');
        }
        expect(await tried(server, own.key)).to.equal('200');
        const next = keyOf(await server.post(`/api/api-keys/${own.id}/rotate`, {}, by(hers)), 200);
        keyOf(await server.post(`/api/api-keys/${next.id}/rotate`, {}, as(alice)), 200);
        const listed = async (player: Player) => {
          const visitor = new Visitor(server);
          await visitor.signIn(player.email, PASSWORD);
          return (await visitor.get(acmePage(`/api-keys/${hers.id}`))).text.includes(`data-testid="rotate-${hers.id}"`);
        };
        expect([await listed(alice), await listed(kim)]).to.deep.equal([true, false]);
        const visitor = new Visitor(server);
        await visitor.signIn(kim.email, PASSWORD);
        expect(
          (await visitor.get(acmePage(`/api-keys/${hers.id}/rotate`))).status,
          'before anything is chosen',
        ).to.equal(403);
      });

      it('that belongs to a person gives no more than that person could', async () => {
        const own = await issue(server, as(alice), { scopes: ['*'], owner: 'user' });
        keyOf(await create(by(own), ['billing:write']), 201);
        const keeper = await addPlayer(server.services, acme, 'Kim', {
          role: 'ADMIN',
          permissions: ['api-keys:manage'],
        });
        await server.services.db('api_keys').where({ id: own.id }).update({ user_id: keeper.id });
        refusal(await create(by(own), ['billing:write']), 403, 'insufficient_scope');
        keyOf(await create(by(own), ['billing:read']), 201);
      });

      it('rotates itself', async () => {
        const rotated = keyOf(await server.post(`/api/api-keys/${manager.id}/rotate`, {}, by(manager)), 200);
        expect(await tried(server, manager.key)).to.equal('401 key_revoked');
        expect(await tried(server, rotated.key)).to.equal('200');
      });
    });
  });

  async function create(headers: Headers, scopes: string[]): Promise<Answer> {
    return server.post('/api/api-keys', { name: 'granted', scopes }, headers);
  }

  async function everyChange(headers: Headers, id: string): Promise<Answer[]> {
    return [
      await server.post('/api/api-keys', { name: 'made' }, headers),
      await server.patch(`/api/api-keys/${id}`, { name: 'changed' }, headers),
      await server.post(`/api/api-keys/${id}/rotate`, {}, headers),
      await server.post(`/api/api-keys/${id}/revoke`, {}, headers),
      await server.delete(`/api/api-keys/${id}`, headers),
    ];
  }

  function by(key: Key): Headers {
    return { 'x-api-key': key.key, 'x-tenant-id': acme.id };
  }

  async function letKeysManageKeys(keysMayManageKeys: boolean): Promise<void> {
    const policy = changePolicy(DEFAULT_POLICY, { keysMayManageKeys });
    await changeTenant(server.services.db, acme.id, { policy }, Date.now());
  }
});
