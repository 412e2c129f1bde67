import { expect } from 'chai';
import { addPlayer, as } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import type { Answer, Headers } from '../../support/http.ts';
import { auditOf, issue, refusal } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';

interface Ticket {
  id: string;
  subject: string;
  status: string;
  messageCount: number;
  closedAt: string | null;
  messages: { text: string; authorName: string }[];
}

onEachDatabase('a support ticket', (database) => {
  const { server, ...cast } = useServer(database);
  let alice: Headers;
  let bob: Headers;

  before(async () => {
    alice = as(cast.alice);
    bob = as(cast.bob);
  });

  it('goes from open to answered, open again, answered and closed, with everything that was said', async () => {
    const opened = ticketIn(
      await server.post('/api/support/tickets', { subject: 'Help', message: 'It\nbroke' }, bob),
      201,
    );
    expect(opened).to.include({ subject: 'Help', status: 'open', priority: 'normal', createdBy: cast.bob.id });
    const path = `/api/support/tickets/${opened.id}`;
    const steps: [status: string, path: string, json: object, headers: Headers][] = [
      ['answered', `${path}/answer`, { message: 'Try again' }, alice],
      ['open', `${path}/messages`, { message: 'Still broken' }, bob],
      ['answered', `${path}/answer`, { message: 'Mended' }, alice],
      ['closed', `${path}/close`, {}, alice],
    ];
    for (const [status, way, json, headers] of steps) {
      expect(ticketIn(await server.post(way, json, headers))).to.include({ status });
    }
    const closed = ticketIn(await server.get(path, bob));
    expect(closed.messages.map(({ text, authorName }) => [text, authorName])).to.deep.equal([
      ['It\nbroke', 'Bob'],
      ['Try again', 'Alice'],
      ['Still broken', 'Bob'],
      ['Mended', 'Alice'],
    ]);
    expect(closed.closedAt).to.be.a('string');
    expect(ticketIn(await server.post(`${path}/close`, {}, alice))).to.deep.equal(closed);
    for (const way of ['answer', 'messages'])
      refusal(await server.post(`${path}/${way}`, { message: 'more' }, alice), 409, 'conflict');
    const rows = await auditOf(server, alice, opened.id);
    expect(rows.map(({ action, after }) => [action, after?.['status']])).to.deep.equal([
      ['TICKET_OPENED', 'open'],
      ['TICKET_UPDATED', 'answered'],
      ['TICKET_UPDATED', 'open'],
      ['TICKET_UPDATED', 'answered'],
      ['TICKET_UPDATED', 'closed'],
    ]);
  });

  it('is answered and closed only by people who manage tickets', async () => {
    const { id } = await open('Who may');
    const helper = as(
      await addPlayer(server.services, cast.acme, 'Hal', { role: 'MEMBER', permissions: ['tickets:manage'] }),
    );
    const { key } = await issue(server, alice, { scopes: ['*'] });
    for (const way of ['answer', 'close']) {
      const json = way === 'answer' ? { message: 'So' } : {};
      const path = `/api/v1/support/tickets/${id}/${way}`;
      for (const headers of [bob, as(cast.carol), { 'x-api-key': key }])
        refusal(await server.post(path, json, headers), 403, 'insufficient_permission');
      ticketIn(await server.post(path, json, helper));
    }
  });

  it('is listed by its status, the newest first', async () => {
    const { id } = await open('Listed');
    const listed = async (query: string) => {
      const { body } = await server.get(`/api/support/tickets?${query}`, alice);
      return (body as { data: Ticket[] }).data;
    };
    expect((await listed('status=open'))[0]).to.include({ id, subject: 'Listed', messageCount: 1 });
    await server.post(`/api/support/tickets/${id}/close`, {}, alice);
    expect((await listed('status=open')).map((one) => one.id)).not.to.include(id);
    expect((await listed('status=closed&limit=1')).map((one) => one.id)).to.deep.equal([id]);
    const { nextCursor } = (await server.get('/api/support/tickets?limit=1', alice)).body as { nextCursor: string };
    for (const [query, headers] of [
      ['', as(cast.charlie)],
      ['&status=open', alice],
    ] as const) {
      refusal(await server.get(`/api/support/tickets?cursor=${nextCursor}${query}`, headers), 400, 'invalid_query');
    }
  });

  it('of another tenant is not there', async () => {
    const { id } = await open('Private');
    const charlie = as(cast.charlie);
    const path = `/api/support/tickets/${id}`;
    refusal(await server.get(path, charlie), 404, 'not_found');
    for (const way of ['messages', 'answer'])
      refusal(await server.post(`${path}/${way}`, { message: 'x' }, charlie), 404, 'not_found');
    refusal(await server.post(`${path}/close`, {}, charlie), 404, 'not_found');
    expect(ticketIn(await server.get(path, alice))).to.include({ status: 'open', messageCount: 1 });
  });

  it('numbers the messages of ten writers at once, and is full in the end', async () => {
    const { id } = await open('Busy');
    const path = `/api/support/tickets/${id}/messages`;
    const all = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => server.post(path, { message: `no ${i}` }, bob)),
    );
    expect(all.map(({ status }) => status)).to.deep.equal(all.map(() => 200));
    expect(ticketIn(await server.get(`/api/support/tickets/${id}`, bob)).messages).to.have.length(11);
    await server.services.db('support_tickets').where({ id }).update({ messages: 200 });
    refusal(await server.post(path, { message: 'one more' }, bob), 409, 'conflict');
  });

  it('opens to keys with its scopes', async () => {
    const keyWith = async (scope: string) => ({ 'x-api-key': (await issue(server, alice, { scopes: [scope] })).key });
    const [read, write, other] = [
      await keyWith('support:read'),
      await keyWith('support:write'),
      await keyWith('docs:*'),
    ];
    const input = { subject: 'By key', message: 'Hello', priority: 'high' };
    const { id } = ticketIn(await server.post('/api/v1/support/tickets', input, write), 201);
    const said = `/api/v1/support/tickets/${id}/messages`;
    for (const headers of [read, other]) {
      refusal(await server.post('/api/v1/support/tickets', input, headers), 403, 'insufficient_scope');
      refusal(await server.post(said, { message: 'x' }, headers), 403, 'insufficient_scope');
    }
    for (const path of ['/api/v1/support/tickets', `/api/v1/support/tickets/${id}`]) {
      expect((await server.get(path, read)).status).to.equal(200);
      refusal(await server.get(path, other), 403, 'insufficient_scope');
    }
  });

  async function open(subject: string): Promise<Ticket> {
    return ticketIn(await server.post('/api/support/tickets', { subject, message: 'Please' }, bob), 201);
  }
});

function ticketIn({ status, body, text }: Answer, expected = 200): Ticket {
  expect(status, text).to.equal(expected);
  return body as Ticket;
}
