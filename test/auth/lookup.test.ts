import { expect } from 'chai';
import { as, castOf } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { issue } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';

onEachDatabase('a key as it is looked up', (database) => {
  let server: TestServer;

  before(async () => {
    server = await startServer(database.env());
  });
  after(async () => server.stop());

  it('has the name it was given, which pushes nothing else out of its place', async () => {
    const { alice } = await castOf(server);
    const key = await issue(server, as(alice), { name: 'plain', scopes: ['projects:read'] });
    const asked = async () => (await server.get('/api/v1/whoami', { 'x-api-key': key.key })).body as object;
    const before = await asked();
    // No input takes such a name, but a table may have been filled by other hands.
    const name = 'é😀\u001f"\\\u001fOWNER\u001f["*"]';
    await server.services.db('api_keys').where({ id: key.id }).update({ name });
    expect(await asked()).to.deep.equal({ ...before, name });
  });
});
