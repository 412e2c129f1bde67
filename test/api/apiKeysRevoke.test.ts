import { expect } from 'chai';
import { as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { auditOf, issue, read, rotate, tried, type Key } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

interface Revoked {
  id: string;
  revokedAt: string;
  message: string;
}

onEachDatabase('revoking a key', (database) => {
  const { server, ...cast } = useServer(database);
  const alice = () => as(cast.alice);

  for (const [how, send] of Object.entries({
    'by POST': async (id: string) => server.post(`/api/api-keys/${id}/revoke`, {}, alice()),
    'by POST without a body': async (id: string) =>
      server.send('POST', `/api/api-keys/${id}/revoke`, { headers: alice() }),
    'by DELETE': async (id: string) => server.delete(`/api/api-keys/${id}`, alice()),
  })) {
    it(`${how} ends it at once and for good`, async () => {
      const key = await issue(server, alice());
      expect(await tried(server, key.key)).to.equal('200');
      const answer = await send(key.id);
      expect(answer.status).to.equal(200);
      const { revokedAt } = answer.body as Revoked;
      expect(answer.body).to.deep.equal({ id: key.id, revokedAt, message: 'API key has been revoked' });
      expect(await tried(server, key.key)).to.equal('401 key_revoked');
      expect(await read(server, alice(), key.id)).to.deep.include({ status: 'revoked', revokedAt });
    });
  }

  it('twice gives the same answer and writes one audit row', async () => {
    const key = await issue(server, alice());
    const first = await revoke(key, { reason: 'it leaked' });
    const later = [await revoke(key), await revoke(key, { reason: 'another' })];
    expect(later).to.deep.equal([first, first]);
    const rows = await auditOf(server, alice(), key.id);
    expect(rows.map(({ action }) => action)).to.deep.equal(['API_KEY_CREATED', 'API_KEY_REVOKED']);
    expect(rows[1]).to.deep.include({
      after: { revokedAt: first.revokedAt, reason: 'it leaked' },
      actorId: cast.alice.id,
    });
  });

  it('works on an expired key', async () => {
    const key = await issue(server, alice(), { expiresInDays: 1 });
    await server.services
      .db('api_keys')
      .where({ id: key.id })
      .update({ expires_at: Date.now() - 1 });
    await revoke(key);
    expect((await read(server, alice(), key.id)).status).to.equal('revoked');
  });

  it('leaves the other keys of its rotations as they are', async () => {
    const first = await issue(server, alice());
    const next = await rotate(server, alice(), first.id, { gracePeriodSeconds: 1_200 });
    const last = await rotate(server, alice(), next.id, { gracePeriodSeconds: 600 });
    expect(await revoke(next)).to.have.all.keys('id', 'revokedAt', 'message');
    const tries = [first, next, last].map(async ({ key }) => tried(server, key));
    expect(await Promise.all(tries)).to.deep.equal(['200', '401 key_revoked', '200']);
  });

  describe('by an id that was rotated away', () => {
    it('ends the key that took its place, and again gives the same answer', async () => {
      const old = await issue(server, alice());
      const fresh = await rotate(server, alice(), old.id);
      const answer = await revoke(old);
      expect(answer.id).to.equal(fresh.id);
      expect(await tried(server, fresh.key)).to.equal('401 key_revoked');
      expect([await revoke(old), await revoke(fresh)]).to.deep.equal([answer, answer]);
      const rows = await auditOf(server, alice(), fresh.id);
      expect(rows.map(({ action }) => action)).to.deep.equal(['API_KEY_REVOKED']);
    });

    it('finds the live key at the end of a chain', async () => {
      const first = await issue(server, alice());
      const second = await rotate(server, alice(), first.id);
      const third = await rotate(server, alice(), second.id);
      expect((await revoke(first)).id).to.equal(third.id);
      expect(await tried(server, third.key)).to.equal('401 key_revoked');
    });

    it('stands for itself while its overlap lasts, and stays so once revoked', async () => {
      const old = await issue(server, alice());
      const fresh = await rotate(server, alice(), old.id, { gracePeriodSeconds: 600 });
      const answer = await revoke(old);
      expect(answer.id).to.equal(old.id);
      expect([await tried(server, old.key), await tried(server, fresh.key)]).to.deep.equal(['401 key_revoked', '200']);
      await endGrace(old);
      expect(await revoke(old)).to.deep.equal(answer);
      expect(await tried(server, fresh.key)).to.equal('200');
    });

    it('stands for its successor once the overlap is over', async () => {
      const old = await issue(server, alice());
      const fresh = await rotate(server, alice(), old.id, { gracePeriodSeconds: 600 });
      await endGrace(old);
      expect((await revoke(old)).id).to.equal(fresh.id);
      expect(await tried(server, fresh.key)).to.equal('401 key_revoked');
    });
  });

  async function revoke({ id }: Key, body: object = {}): Promise<Revoked> {
    const answer = await server.post(`/api/api-keys/${id}/revoke`, body, alice());
    expect(answer.status, answer.text).to.equal(200);
    return answer.body as Revoked;
  }

  async function endGrace({ id }: Key): Promise<void> {
    await server.services
      .db('api_keys')
      .where({ id })
      .update({ grace_ends_at: Date.now() - 1 });
  }
});
