import { expect } from 'chai';
import { createLookup } from '../../app/auth/lookup.ts';
import type { Lookups, SettingRow } from '../../db/lookups.ts';
import { replaceSetting, SETTING_NAMES } from '../../db/tables/installationSettings.ts';
import { nextTurn } from '../../app/timing.ts';
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

describe('two questions about settings that are under way at once', () => {
  it('are each answered with the whole value, whichever is answered first', async () => {
    const answers: ((rows: SettingRow[]) => void)[] = [];
    const keys: Lookups['keys'] = async () =>
      new Promise((resolve) => answers.push((settings) => resolve({ keys: [], settings })));
    const lookup = createLookup({ keys } as Lookups);
    const ask = async () => {
      const value = lookup.settings().then(({ scopes }) => scopes.value);
      await nextTurn();
      await nextTurn();
      return { value };
    };
    const rows = (revision: string, value: string | null) => SETTING_NAMES.map((name) => ({ name, revision, value }));

    const first = await ask();
    answers[0]?.(rows('before', 'the value before'));
    expect(await first.value).to.equal('the value before');
    const older = await ask();
    const newer = await ask();
    answers[2]?.(rows('after', 'the value after'));
    expect(await newer.value).to.equal('the value after');
    answers[1]?.(rows('before', null));
    expect(await older.value, 'left out, since it was known').to.equal('the value before');
    const last = await ask();
    answers[3]?.(rows('after', null));
    expect(await last.value).to.equal('the value after');
  });
});
