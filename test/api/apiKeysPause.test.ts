import { expect } from 'chai';
import { as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { auditOf, issue, keyOf, read, refusal, rotate, tried, type Key } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

onEachDatabase('pausing a key', (database) => {
  const { server, ...cast } = useServer(database);
  const alice = () => as(cast.alice);

  it('refuses it at once and resuming lets it work again, on both mounts, with one audit row each', async () => {
    for (const mount of ['/api', '/api/v1']) {
      const key = await issue(server, alice());
      expect(await tried(server, key.key)).to.equal('200');
      const paused = await change(key, 'pause', { reason: 'an outage' }, mount);
      expect(paused).to.include({ id: key.id, status: 'paused' });
      expect(await tried(server, key.key)).to.equal('401 key_paused');
      expect(await change(key, 'pause', { reason: 'again' }, mount)).to.deep.equal({ ...paused });
      expect(await read(server, alice(), key.id)).to.deep.equal(paused);

      expect(await change(key, 'resume', { reason: 'it is over' }, mount)).to.include({ status: 'active' });
      expect(await tried(server, key.key)).to.equal('200');
      expect(await change(key, 'resume', {}, mount)).to.include({ status: 'active' });
      const rows = (await auditOf(server, alice(), key.id)).slice(1);
      expect(rows.map(({ action, after, actorId }) => [action, after?.reason, actorId])).to.deep.equal([
        ['API_KEY_PAUSED', 'an outage', cast.alice.id],
        ['API_KEY_RESUMED', 'it is over', cast.alice.id],
      ]);
    }
  });

  it('is told to backends that ask about the key: verify says paused, introspection inactive', async () => {
    const caller = { 'x-api-key': (await issue(server, alice(), { scopes: ['keys:verify'] })).key };
    const key = await issue(server, alice());
    await change(key, 'pause');
    const verdict = (await server.post('/api/v1/keys/verify', { key: key.key }, caller)).body;
    expect(verdict).to.include({ valid: false, code: 'paused', keyId: key.id });
    const form = { ...caller, 'Content-Type': 'application/x-www-form-urlencoded' };
    const told = await server.send('POST', '/oauth/introspect', { headers: form, body: `token=${key.key}` });
    expect(told.body).to.deep.equal({ active: false });
  });

  it('shows it in the list by its status, which no other status lists', async () => {
    const key = await issue(server, alice(), { name: 'paused and listed' });
    await change(key, 'pause');
    const listed = async (query: string) => {
      const { body } = await server.get(`/api/api-keys?q=paused%20and%20listed${query}`, alice());
      return (body as { total: number }).total;
    };
    expect([await listed(''), await listed('&status=paused'), await listed('&status=active')]).to.deep.equal([1, 1, 0]);
  });

  it('takes no key that has ended, and never brings one back', async () => {
    const revoked = await issue(server, alice());
    await change(revoked, 'pause');
    await server.post(`/api/api-keys/${revoked.id}/revoke`, {}, alice());
    const expired = await issue(server, alice(), { expiresInDays: 1 });
    await change(expired, 'pause');
    await server.services
      .db('api_keys')
      .where({ id: expired.id })
      .update({ expires_at: Date.now() - 1 });
    for (const [key, code] of [
      [revoked, '401 key_revoked'],
      [expired, '401 key_expired'],
    ] as const) {
      for (const what of ['pause', 'resume']) refusal(await send(key, what), 409, 'key_not_active');
      expect(await tried(server, key.key)).to.equal(code);
    }
  });

  it('keeps it from being rotated, and lets it be changed and revoked', async () => {
    const key = await issue(server, alice());
    await change(key, 'pause');
    refusal(await send(key, 'rotate'), 409, 'key_not_active');
    expect((await server.patch(`/api/api-keys/${key.id}`, { name: 'renamed' }, alice())).body).to.include({
      name: 'renamed',
      status: 'paused',
    });
    expect((await send(key, 'revoke')).status).to.equal(200);
    expect(await tried(server, key.key)).to.equal('401 key_revoked');
  });

  it('means the successor where the id was rotated away, and the key itself during its grace', async () => {
    const old = await issue(server, alice());
    const fresh = await rotate(server, alice(), old.id);
    expect((await change(old, 'pause')).id).to.equal(fresh.id);
    expect(await tried(server, fresh.key)).to.equal('401 key_paused');
    expect((await change(old, 'resume')).id).to.equal(fresh.id);

    const next = await rotate(server, alice(), fresh.id, { gracePeriodSeconds: 600 });
    expect((await change(fresh, 'pause')).id).to.equal(fresh.id);
    expect([await tried(server, fresh.key), await tried(server, next.key)]).to.deep.equal(['401 key_paused', '200']);
    expect(await change(fresh, 'resume')).to.include({ id: fresh.id, status: 'rotating' });
    expect(await tried(server, fresh.key)).to.equal('200');
  });

  it('is for who manages keys, and for keys within their own scopes where the policy lets them', async () => {
    const key = await issue(server, alice(), { scopes: ['orders:write'] });
    refusal(await send(key, 'pause', as(cast.bob)), 403, 'insufficient_permission');
    refusal(await send(key, 'pause', as(cast.charlie)), 404, 'not_found');
    const by = async (scopes: string[]): Promise<Headers> => ({
      'x-api-key': (await issue(server, alice(), { scopes })).key,
      'x-tenant-id': cast.acme.id,
    });
    const narrow = await by(['api-keys:write']);
    const wide = await by(['api-keys:write', 'orders:write']);
    refusal(await send(key, 'pause', wide), 403, 'insufficient_permission');
    await server.post('/api/security-center/settings', { keysMayManageKeys: true }, alice());
    refusal(await send(key, 'pause', narrow), 403, 'insufficient_scope');
    expect((await send(key, 'pause', wide)).status).to.equal(200);
    refusal(await send(key, 'resume', narrow), 403, 'insufficient_scope');
    expect((await send(key, 'resume', wide)).status).to.equal(200);
  });

  it('counts a paused key in the limit of the plan, since it can be resumed', async () => {
    const { db } = server.services;
    await db('tenants').where({ id: cast.globex.id }).update({ plan: 'starter' });
    let answer: Answer;
    const keys: Key[] = [];
    do {
      answer = await server.post('/api/api-keys', { name: 'one more' }, as(cast.charlie));
      if (answer.status === 201) keys.push(answer.body as Key);
    } while (answer.status === 201);
    refusal(answer, 409, 'plan_limit');
    await server.post(`/api/api-keys/${keys[0]?.id}/pause`, {}, as(cast.charlie));
    refusal(await server.post('/api/api-keys', { name: 'one more' }, as(cast.charlie)), 409, 'plan_limit');
  });

  async function change({ id }: Key, what: 'pause' | 'resume', body: object = {}, mount = '/api'): Promise<Key> {
    return keyOf(await server.post(`${mount}/api-keys/${id}/${what}`, body, alice()), 200);
  }

  async function send({ id }: Key, what: string, headers = alice()): Promise<Answer> {
    return server.post(`/api/api-keys/${id}/${what}`, {}, headers);
  }
});
