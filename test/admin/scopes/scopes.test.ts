import { expect } from 'chai';
import { addPlayer, as, PASSWORD } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { conflictRowsIn, openedIn } from '../../support/formConflict.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

onEachDatabase('the page of scopes', (database) => {
  const { server, alice, acme } = useServer(database);
  let operator: Visitor;
  before(async () => {
    const olga = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
    operator = new Visitor(server);
    await operator.signIn(olga.email, PASSWORD);
  });

  const revisionOf = (text: string) => /name="revision" value="([^"]+)"/.exec(text)?.[1] ?? '';
  /** Opens a form and sends it with these fields, as a browser without scripts does. */
  const send = async (path: string, fields: Record<string, string>, revision?: string) => {
    const { text } = await operator.get(path);
    return operator.submit(path, { revision: revision ?? revisionOf(text), ...fields });
  };
  const page = async () => (await operator.get('/admin/scopes')).text;

  it('is for operators alone', async () => {
    const owner = new Visitor(server);
    await owner.signIn(alice.email, PASSWORD);
    expect((await owner.get('/admin/scopes')).status).to.equal(403);
    expect((await owner.get(acmePage('/api-keys'))).text).to.not.include('/admin/scopes');
    expect((await operator.get(acmePage('/api-keys'))).text).to.include('/admin/scopes');
  });

  it('replaces all from JSON, and says what is wrong with it by place', async () => {
    const bad = await send('/admin/scopes/json', {
      json: '{"scopes": [{"scope": "users:read", "description": {"en": "x"}}]}',
    });
    expect(bad.status).to.equal(422);
    expect(bad.text).to.include('scopes.0.scope').and.to.include('Latchkey has this name');
    expect((await send('/admin/scopes/json', { json: 'no' })).status).to.equal(422);
    const scopes = [{ scope: 'fares:read', group: 'Fares', description: { en: 'See fares.' } }];
    expect((await send('/admin/scopes/json', { json: JSON.stringify({ scopes }) })).status).to.equal(303);
    expect(await page())
      .to.include('fares:read')
      .and.to.not.include('orders:read');
  });

  it('adds, changes and removes a scope, and shows how many keys hold it', async () => {
    const added = {
      scope: 'trips:read',
      group: 'Trips',
      en: 'See trips.',
      fr: 'Voir les trajets.',
      alias: 'rides:read',
    };
    const wrong = await send('/admin/scopes/new', { ...added, en: '', alias: 'users:read' });
    expect(wrong.status).to.equal(422);
    expect(wrong.text).to.include('id="en-problem"');
    expect((await send('/admin/scopes/new', added)).status).to.equal(303);
    await issue(server, as(alice), { scopes: ['rides:read'] });
    expect(await page()).to.match(/trips:read[^]*rides:read[^]*Voir les trajets\.[^]*<td class="num"[^>]*>1</);
    expect((await operator.get(acmePage('/api-keys/new'))).text)
      .to.include('See trips.')
      .and.to.include('Trips');

    const held = await send('/admin/scopes/edit?scope=trips:read', { ...added, alias: '' });
    expect(held.status).to.equal(409);
    expect(held.text).to.include('rides:read is held by one key').and.to.include('name="force"');
    const changed = await send('/admin/scopes/edit?scope=trips:read', { ...added, en: 'See all trips.' });
    expect(changed.status).to.equal(303);
    expect((await operator.get('/admin/scopes/remove?scope=trips:read')).text).to.include('One key holds it');
    expect((await send('/admin/scopes/remove?scope=trips:read', { scope: 'trips:read' })).status).to.equal(303);
    // The first page after it still says what was removed.
    await page();
    expect(await page()).to.not.include('trips:read');
  });

  it('shows the groups, each with its number of scopes, folds them where there are many, and leads back to what was saved', async () => {
    const scopesOf = (names: string[]) =>
      names.map((scope) => ({ scope, group: scope.split(':')[0], description: { en: 'Does something.' } }));
    const replace = async (names: string[]) =>
      send('/admin/scopes/json', { json: JSON.stringify({ scopes: scopesOf(names) }) });
    const few = ['fares:read', 'fares:write', 'trips:read'];
    await replace([...few, ...Array.from({ length: 40 }, (_, n) => `trips:leg-${n}`)]);
    expect(await page()).to.match(
      /<details class="scopes-group fold">[^]*fares[^]*2 scopes[^]*<details class="scopes-group fold">[^]*trips[^]*41 scopes</,
    );
    await replace(few);
    const text = await page();
    expect(text).to.match(
      /<details class="scopes-group fold" open>[^]*fares[^]*2 scopes[^]*<details class="scopes-group fold" open>[^]*trips[^]*1 scope</,
    );
    const saved = await send('/admin/scopes/edit?scope=trips:read', {
      scope: 'trips:read',
      en: 'Sees.',
      group: 'trips',
      fr: '',
      alias: '',
    });
    expect(saved.headers['location']).to.equal('/admin/scopes#scope-trips%3Aread');
    expect(text).to.include('<tr id="scope-trips:read">');
  });

  it('refuses a change of what somebody has changed meanwhile, and keeps what was typed', async () => {
    const { text } = await operator.get('/admin/scopes/new');
    const entry = (scope: string) => ({ scope, en: 'Does something.', group: '', fr: '', alias: '' });
    await send('/admin/scopes/new', entry('first:read'));
    const late = await send('/admin/scopes/new', entry('second:read'), revisionOf(text));
    expect(late.status).to.equal(412);
    expect(late.text).to.include('value="second:read"');
    expect(await page())
      .to.include('first:read')
      .and.to.not.include('second:read');
    expect((await send('/admin/scopes/new', entry('second:read'), revisionOf(late.text))).status).to.equal(303);

    const path = '/admin/scopes/edit?scope=first%3Aread';
    const form = (await operator.get(path)).text;
    await send(path, { ...entry('first:read'), en: 'Does more.' });
    const mine = { ...entry('first:read'), group: 'Mine', opened: openedIn(form) };
    const changed = await send(path, mine, revisionOf(form));
    expect(conflictRowsIn(changed.text)).to.deep.equal([
      ['Description in English', 'Does something.', 'Does more.', 'As stored now'],
    ]);
    expect(changed.text)
      .to.match(/id="en"[^>]*value="Does more\."/s)
      .and.match(/id="group"[^>]*value="Mine"/s);

    const json = '{"scopes": []}';
    const whole = await send('/admin/scopes/json', { json }, revisionOf(form));
    expect([whole.status, whole.text.includes('Does more.')]).to.deep.equal([412, true]);
    expect(whole.text).to.match(/<textarea[^>]*name="json"[^>]*>\s*{&quot;scopes&quot;: \[\]}/s);
    expect((await send('/admin/scopes/json', { json }, revisionOf(whole.text))).status).to.equal(303);
  });
});
