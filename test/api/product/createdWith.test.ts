import { expect } from 'chai';
import { RESOURCES } from '../../../app/domain/resources.ts';
import { as } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import type { Headers } from '../../support/http.ts';
import { issue, type Key } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';

type Maker = { createdBy: string | null; createdWith: string | null };

onEachDatabase('what a key makes', (database) => {
  const { server, alice, carol } = useServer(database);
  let personal: Key;
  let service: Key;
  before(async () => {
    personal = await issue(server, as(alice), { scopes: ['*'], owner: 'user' });
    service = await issue(server, as(alice), { scopes: ['*'] });
  });

  /** Who makes something, and whom it says it is from. */
  function makers(): [Headers, Maker][] {
    return [
      [{ 'x-api-key': personal.key }, { createdBy: alice.id, createdWith: personal.id }],
      [{ 'x-api-key': service.key }, { createdBy: service.id, createdWith: service.id }],
      [as(alice), { createdBy: alice.id, createdWith: null }],
    ];
  }

  const bodyOf = async (method: string, path: string, headers: Headers, json?: unknown) => {
    const answer = await server.send(method, path, { headers, json });
    expect(answer.status, answer.text).to.be.within(200, 201);
    return answer.body as Maker & { id: string; data: unknown[] };
  };

  it('names the person and the key on records of every resource, also read, listed and changed', async () => {
    for (const { name } of RESOURCES) {
      for (const [headers, maker] of makers()) {
        const made = await bodyOf('POST', `/api/v1/${name}`, headers, minimal(name));
        expect(made).to.deep.include(maker);
        const path = `/api/v1/${name}/${made.id}`;
        expect(await bodyOf('GET', path, as(alice))).to.deep.include(maker);
        expect(await bodyOf('PATCH', path, as(carol), { name: 'Changed' })).to.deep.include(maker);
        expect((await bodyOf('GET', `/api/v1/${name}?limit=1`, headers)).data[0]).to.deep.include(maker);
      }
    }
  });

  it('names them on tickets', async () => {
    for (const [headers, maker] of makers()) {
      const ticket = { subject: 'Help', message: 'It broke' };
      const made = await bodyOf('POST', '/api/v1/support/tickets', headers, ticket);
      expect(made).to.deep.include(maker);
      expect((await bodyOf('GET', '/api/v1/support/tickets?limit=1', headers)).data[0]).to.deep.include(maker);
    }
  });

  it('names them on drafts of the builder, and on each version who saved it with which key', async () => {
    for (const [index, [headers, { createdBy, createdWith }]] of makers().entries()) {
      const saved = await bodyOf('POST', '/api/v1/builder/draft', headers, { name: `draft ${index}` });
      expect(saved).to.deep.include({ savedBy: createdBy, savedWith: createdWith });
      const { data } = await bodyOf('GET', '/api/v1/builder/drafts?limit=1', headers);
      expect(data[0]).to.deep.include({ createdBy, createdWith });
      const shown = await bodyOf('GET', `/api/v1/builder/drafts/${saved.id}`, headers);
      expect(shown).to.deep.include({ savedBy: createdBy, savedWith: createdWith });
    }
  });

  it('names them on checkouts', async () => {
    for (const [headers, maker] of makers())
      expect(await bodyOf('POST', '/api/v1/billing/checkout', headers, { plan: 'pro' })).to.deep.include(maker);
  });
});

function minimal(resource: string): object {
  return { name: 'one', ...(resource === 'webhooks' && { url: 'https://example.com/hook' }) };
}
