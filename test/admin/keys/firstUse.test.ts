import { expect } from 'chai';
import { as, PASSWORD } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

onEachDatabase('the first request of a new key', (database) => {
  const { server, alice } = useServer(database);

  it('is shown beside the key although others came after it, for one query of its requests', async () => {
    const visitor = new Visitor(server);
    await visitor.signIn(alice.email, PASSWORD);
    const { id, key } = await issue(server, as(alice), { scopes: ['read'] });
    const firstUse = async () => visitor.get(acmePage(`/api-keys/${id}/first-use`), { 'HX-Request': 'true' });
    expect((await firstUse()).status).to.equal(204);

    await server.get('/api/v1/whoami', { 'x-api-key': key });
    await server.get('/api/v1/projects', { 'x-api-key': key });
    await server.post('/api/v1/projects', { name: 'Refused' }, { 'x-api-key': key });

    const { db } = server.services;
    const asked: string[] = [];
    const note = ({ sql }: { sql: string }) => asked.push(sql);
    db.on('query', note);
    const { status, text } = await firstUse();
    db.removeListener('query', note);
    expect(status, text).to.equal(200);
    expect(text).to.include('First request: GET /api/v1/whoami from 127.0.0.1, answered with 200.');
    expect(asked.filter((sql) => /^select .* from .api_key_usage. /.test(sql))).to.have.length(1);
  });
});
