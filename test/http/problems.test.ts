import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import Koa from 'koa';
import type { State } from '../../app/context.ts';
import { compose } from '../../app/http/compose.ts';
import { handleErrors } from '../../app/http/handleErrors.ts';
import { requestId } from '../../app/http/requestId.ts';
import { requestLog } from '../../app/http/requestLog.ts';
import { createLog } from '../../app/log.ts';
import { as } from '../support/cast.ts';
import { onDatabase } from '../support/databases.ts';
import { Client } from '../support/http.ts';
import { useServer } from '../support/useServer.ts';

onDatabase('sqlite', 'a problem document', (database) => {
  const { server, alice } = useServer(database);

  const french = { 'Accept-Language': 'fr-FR,fr;q=0.9' };

  it('has its detail in French where French is asked for, its code and title as they are', async () => {
    const answer = await server.get('/api/v1/whoami', french);
    expect(answer.status).to.equal(401);
    expect(answer.body).to.include({
      code: 'missing_credential',
      title: 'Credential required',
      detail: 'Envoyez une clé d’API ou un jeton Bearer.',
    });
    const { body } = await server.get('/api/v1/whoami');
    expect(body).to.include({ detail: 'Send an API key or a Bearer token.' });
  });

  it('has the messages of its fields in French, and names in both languages what a field wants', async () => {
    const key = { name: 7, scopes: ['Fly'], expiresInDays: 9_999, kind: 'x' };
    const paths = ['name', 'scopes.0', 'expiresInDays', 'kind'];
    const english = await server.post('/api/api-keys', key, as(alice));
    expect(english.status).to.equal(422);
    expect(english.body)
      .to.have.property('errors')
      .that.deep.equals([
        { path: paths[0], message: 'Must be text' },
        { path: paths[1], message: 'Not a scope' },
        { path: paths[2], message: 'Must be at most 365' },
        { path: paths[3], message: 'Unknown field' },
      ]);
    const { body } = await server.post('/api/api-keys', key, { ...as(alice), ...french });
    expect(body)
      .to.have.property('errors')
      .that.deep.equals([
        { path: paths[0], message: 'Doit être du texte' },
        { path: paths[1], message: 'N’est pas un accès' },
        { path: paths[2], message: 'Doit être au plus 365' },
        { path: paths[3], message: 'Champ inconnu' },
      ]);
    expect(body).to.include({ code: 'invalid_input', title: 'Invalid input' });
  });

  it('says what is missing instead of what a library found in its place', async () => {
    const { body } = await server.post('/api/api-keys', {}, as(alice));
    expect(body)
      .to.have.property('errors')
      .that.deep.equals([{ path: 'name', message: 'Is required' }]);
  });
});

describe('an error whose page cannot be made', () => {
  it('is answered by a problem document, and the request has its line in the log', async () => {
    const lines: string[] = [];
    const log = createLog('info', { write: (line) => lines.push(line) });
    const fails = () => {
      throw new Error('told to nobody');
    };
    const app = new Koa<State>().use(
      compose([requestId(0), requestLog(log), handleErrors(log, 'http://x', fails), fails]),
    );
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const answer = await client.get('/', { Accept: 'text/html' });
    client.close();
    server.close();
    expect(answer.status).to.equal(500);
    expect(answer.body).to.include({ code: 'internal_error', requestId: answer.headers['x-request-id'] });
    const requests = lines.map((line) => JSON.parse(line) as object).filter((line) => 'method' in line);
    expect(requests).to.have.length(1);
    expect(requests[0]).to.include({ status: 500, requestId: answer.headers['x-request-id'] });
    expect(lines.join('')).not.to.include('told to nobody');
  });
});
