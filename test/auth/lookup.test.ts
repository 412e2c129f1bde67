import { expect } from 'chai';
import { replaceSetting } from '../../db/tables/installationSettings.ts';
import { as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { issue } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

onEachDatabase('looking up a key', (database) => {
  const { server, alice } = useServer(database);

  it('reads a name with separator characters without shifting the other columns', async () => {
    const key = await issue(server, as(alice), { name: 'plain', scopes: ['projects:read'] });
    const asked = async () => (await server.get('/api/v1/whoami', { 'x-api-key': key.key })).body as object;
    const before = await asked();
    // No input takes such a name, but a table may have been filled by other hands.
    const name = 'é😀\u001f"\\\u001fOWNER\u001f["*"]';
    await server.services.db('api_keys').where({ id: key.id }).update({ name });
    expect(await asked()).to.deep.equal({ ...before, name });
  });
});

onEachDatabase('looking up the settings of the installation', (database) => {
  const { server } = useServer(database);

  it('gives an unchanged setting as the same object, and a changed one with its new value at the next question', async () => {
    const { db, lookup } = server.services;
    const before = await lookup.settings();
    expect(before.scopes.value).to.equal(null);
    const revision = await replaceSetting(db, 'scopes', '["é"]', Date.now());
    const after = await lookup.settings();
    expect(after.scopes).to.deep.equal({ revision, value: '["é"]' });
    expect(after.forward_auth_rules).to.equal(before.forward_auth_rules);
    expect((await lookup.settings()).scopes).to.equal(after.scopes);
  });
});
