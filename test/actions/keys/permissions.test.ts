import { expect } from 'chai';
import { changePolicy as policyAfter, DEFAULT_POLICY } from '../../../app/domain/policy.ts';
import type { Permission } from '../../../app/domain/role.ts';
import { changeTenant } from '../../../db/tables/tenants.ts';
import { addPlayer, as, type Part, type Player } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import type { Answer, Headers } from '../../support/http.ts';
import { detailOf, issue, keyOf, refusal, type Key } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';

/** Scopes that stand for a permission, each with those that a person must hold to grant it. */
const STANDING: Readonly<Record<string, string>> = {
  'members:read': 'members:read',
  'members:write': 'members:read, members:manage',
  'members:delete': 'members:manage',
  'members:*': 'members:read, members:manage',
  'users:write': 'members:manage',
  'users:*': 'members:manage',
};

onEachDatabase('keys and the permissions of people', (database) => {
  const { server, ...cast } = useServer(database);
  let alice: Headers;
  /** ADMIN who manages keys and no members. */
  let adam: Player;
  let count = 0;

  before(async () => {
    alice = as(cast.alice);
    adam = await player({ role: 'ADMIN', permissions: ['api-keys:manage'] });
  });

  describe('a person who lacks a permission', () => {
    it('makes no key with a scope that stands for it', async () => {
      for (const [scope, permissions] of Object.entries(STANDING)) {
        needs(permissions, scope, await create(as(adam), ['projects:read', scope]));
      }
    });

    it('adds no such scope to a key, and neither changes nor rotates a key that has one', async () => {
      const plain = await issue(server, as(adam), { scopes: ['projects:read'] });
      const strong = await issue(server, alice, { scopes: ['members:write'] });
      const scopes = ['projects:read', 'members:write'];
      for (const answer of [
        await server.patch(`/api/api-keys/${plain.id}`, { scopes }, as(adam)),
        await server.patch(`/api/api-keys/${strong.id}`, { name: 'renamed' }, as(adam)),
        await server.post(`/api/api-keys/${strong.id}/rotate`, {}, as(adam)),
      ]) {
        needs('members:read, members:manage', 'members:write', answer);
      }
      expect((await server.delete(`/api/api-keys/${strong.id}`, as(adam))).status).to.equal(200);
    });

    it('makes such a key once they are granted it', async () => {
      const permissions: Permission[] = ['api-keys:manage', 'members:read', 'members:manage'];
      const anna = await player({ role: 'ADMIN', permissions });
      for (const scope of Object.keys(STANDING)) keyOf(await create(as(anna), [scope]), 201);
    });

    it('makes a key that manages keys only with the permission to manage keys', async () => {
      for (const scope of ['api-keys:read', 'api-keys:write', 'api-keys:*']) {
        keyOf(await create(as(adam), [scope]), 201);
      }
    });

    it('reads no audit log through a key that they made', async () => {
      const maud = await player({ role: 'MEMBER', permissions: ['api-keys:manage'] });
      needs('audit:read', 'read', await create(as(maud), ['read']));
      keyOf(await create(as(maud), ['projects:read']), 201);
    });

    it('does not change the accounts of others', async () => {
      const dan = await player({ role: 'MEMBER' });
      const answer = await server.patch(`/api/users/${dan.id}`, { status: 'disabled' }, as(adam));
      refusal(answer, 403, 'insufficient_permission');
    });
  });

  it('a key of a person’s own opens what takes a permission only while that person holds it', async () => {
    const nora = await player({ role: 'ADMIN', permissions: ['api-keys:manage', 'members:read'] });
    const own = await issue(server, as(nora), { scopes: ['members:read', 'read'], owner: 'user' });
    const list = async () => server.get('/api/v1/members', by(own));
    expect((await list()).status).to.equal(200);
    expect((await server.get('/api/v1/audit-logs', by(own))).status).to.equal(200);
    await server.patch(`/api/members/${nora.id}`, { permissions: ['api-keys:manage'] }, alice);
    refusal(await list(), 403, 'insufficient_permission');
    await server.patch(`/api/members/${nora.id}`, { role: 'MEMBER' }, alice);
    refusal(await server.get('/api/v1/audit-logs', by(own)), 403, 'insufficient_permission');
  });

  describe('a key, whatever it holds,', () => {
    let strong: Key;
    let owned: Key;

    before(async () => {
      strong = await issue(server, alice, { scopes: ['*'] });
      owned = await issue(server, alice, { scopes: ['*'], owner: 'user' });
    });

    it('makes nobody more than a member without permissions', async () => {
      for (const key of [strong, owned]) {
        for (const more of [{ role: 'OWNER' }, { role: 'ADMIN' }, { role: 'MEMBER', permissions: ['api-keys:read'] }]) {
          const email = `raised${++count}@acme.example`;
          refusal(
            await server.post('/api/v1/members/invitations', { email, ...more }, by(key)),
            403,
            'insufficient_permission',
          );
          const row = (await server.services.db('invitations').where({ email }).first()) as unknown;
          expect(row).to.equal(undefined);
        }
      }
    });

    it('changes no role and no permission, be it to more or to less', async () => {
      const dan = await player({ role: 'MEMBER' });
      for (const key of [strong, owned]) {
        for (const [id, change] of [
          [dan.id, { role: 'OWNER' }],
          [dan.id, { permissions: ['members:manage'] }],
          [cast.carol.id, { role: 'MEMBER' }],
          [cast.alice.id, { role: 'MEMBER' }],
        ] as const) {
          refusal(await server.patch(`/api/v1/members/${id}`, change, by(key)), 403, 'insufficient_permission');
        }
      }
    });

    it('puts out nobody who is more than a member, and disables none', async () => {
      for (const key of [strong, owned]) {
        refusal(await server.delete(`/api/v1/members/${cast.carol.id}`, by(key)), 403, 'insufficient_permission');
        const disable = { status: 'disabled' };
        refusal(await server.patch(`/api/v1/users/${cast.carol.id}`, disable, by(key)), 403, 'insufficient_permission');
      }
    });

    it('does not decide whether keys manage keys, and may send that rule as it is', async () => {
      const path = '/api/v1/security-center/settings';
      for (const key of [strong, owned, await issue(server, alice, { scopes: ['admin:write'] })]) {
        const answer = await server.post(path, { keysMayManageKeys: true, idleDays: 90 }, by(key));
        expect(refusal(answer, 403, 'insufficient_permission')).to.deep.equal(['keysMayManageKeys']);
        refusal(await server.get('/api/v1/api-keys', by(key)), 403, 'insufficient_permission');
        expect((await server.get(path, alice)).body).to.include({ keysMayManageKeys: false, idleDays: null });
        expect((await server.post(path, { keysMayManageKeys: false }, by(key))).status).to.equal(200);
      }
      await letKeysManageKeys(true);
      refusal(await server.post(path, { keysMayManageKeys: false }, by(strong)), 403, 'insufficient_permission');
      await letKeysManageKeys(false);
    });
  });

  async function create(headers: Headers, scopes: string[]): Promise<Answer> {
    return server.post('/api/api-keys', { name: 'granted', scopes }, headers);
  }

  function needs(permissions: string, scope: string, answer: Answer): void {
    refusal(answer, 403, 'insufficient_permission');
    expect(detailOf(answer)).to.equal(`The scope takes a permission that you do not have: ${scope} → ${permissions}`);
  }

  async function player(part: Part): Promise<Player> {
    return addPlayer(server.services, cast.acme, `Player${++count}`, part);
  }

  function by(key: Key): Headers {
    return { 'x-api-key': key.key };
  }

  async function letKeysManageKeys(keysMayManageKeys: boolean): Promise<void> {
    const policy = policyAfter(DEFAULT_POLICY, { keysMayManageKeys });
    await changeTenant(server.services.db, cast.acme.id, { policy }, Date.now());
  }
});
