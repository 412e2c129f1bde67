import { expect } from 'chai';
import { as, PASSWORD } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { conflictRowsIn, openedIn } from '../../support/formConflict.ts';
import { issue, read } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

onEachDatabase('the form of a key that somebody has changed since it was opened', (database) => {
  const { server, ...cast } = useServer(database);
  let visitor: Visitor;
  before(async () => {
    visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
  });

  it('is not saved, shows what was changed beside what was typed, and keeps both once it is sent again', async () => {
    const wish = { name: 'Opened', description: 'As opened', scopes: ['read', 'files:read'], monthlyQuota: 10 };
    const { id } = await issue(server, as(cast.alice), wish);
    const path = acmePage(`/api-keys/${id}/edit`);
    const opened = openedIn((await visitor.get(path)).text);
    const theirs = { name: 'Theirs', scopes: ['read', 'orders:write'], allowedIps: ['127.0.0.0/8'] };
    expect((await server.patch(`/api/api-keys/${id}`, theirs, as(cast.alice))).status).to.equal(200);

    const mine = {
      name: 'Mine',
      description: '',
      scopes: 'read',
      expires: 'keep',
      rateWindow: '60',
      monthlyQuota: '10',
    };
    const chosen: [string, string][] = ['files:read', 'projects:read'].map((scope) => ['scopes', scope]);
    const refused = await visitor.submit(path, [...Object.entries({ ...mine, opened }), ...chosen]);
    expect(refused.status).to.equal(412);
    expect(conflictRowsIn(refused.text)).to.deep.equal([
      ['Name', 'Opened', 'Theirs', 'Mine'],
      ['Scopes', 'files:read, read', '+ orders:write, − files:read', '+ projects:read'],
      ['Networks', '–', '127.0.0.0/8', 'As stored now'],
    ]);
    expect((await read(server, as(cast.alice), id)).name).to.equal('Theirs');

    const form = refused.text;
    expect(form).to.match(/id="name"[^>]*value="Mine"/s);
    const ticked = [...form.matchAll(/name="scopes"\s+value="([^"]+)"[^>]* checked/gs)].map(([, scope]) => scope);
    expect(ticked).to.deep.equal(['read', 'projects:read', 'orders:write']);
    expect(form).to.match(/<textarea\s+id="allowedIps"[^>]*>\n?127\.0\.0\.0\/8/);
    const shown = { ...mine, allowedIps: '127.0.0.0/8', opened: openedIn(form) };
    const again: [string, string][] = [
      ...Object.entries(shown),
      ...['orders:write', 'projects:read'].map((scope): [string, string] => ['scopes', scope]),
    ];
    expect((await visitor.submit(path, again)).status).to.equal(303);
    const now = await read(server, as(cast.alice), id);
    expect(now).to.deep.include({ name: 'Mine', description: null, allowedIps: ['127.0.0.0/8'] });
    expect(now.scopes).to.have.members(['read', 'orders:write', 'projects:read']);
  });

  it('still tells of the change where it came back for something else first', async () => {
    const { id } = await issue(server, as(cast.alice), { name: 'Opened' });
    const path = acmePage(`/api-keys/${id}/edit`);
    const opened = openedIn((await visitor.get(path)).text);
    await server.patch(`/api/api-keys/${id}`, { name: 'Theirs' }, as(cast.alice));
    const mine = { name: '', scopes: 'read', expires: 'keep', rateWindow: '60' };
    const wrong = await visitor.submit(path, { ...mine, opened });
    expect([wrong.status, conflictRowsIn(wrong.text)]).to.deep.equal([422, []]);
    const sent = await visitor.submit(path, { ...mine, name: 'Mine', opened: openedIn(wrong.text) });
    expect(conflictRowsIn(sent.text)).to.deep.equal([['Name', 'Opened', 'Theirs', 'Mine']]);
  });

  it('goes on with one of two choices that were made of a limit, and with a text that only the browser wrote otherwise', async () => {
    const wish = { name: 'Opened', description: 'Two\nlines', rateLimit: { limit: 100, windowSeconds: 60 } };
    const { id } = await issue(server, as(cast.alice), wish);
    const path = acmePage(`/api-keys/${id}/edit`);
    const opened = openedIn((await visitor.get(path)).text);
    const theirs = { description: 'Theirs', rateLimit: { limit: 200, windowSeconds: 60 } };
    await server.patch(`/api/api-keys/${id}`, theirs, as(cast.alice));
    const mine = { name: 'Opened', description: 'Two\r\nlines', scopes: 'read', expires: 'keep', rateLimit: '100' };
    const { status, text } = await visitor.submit(path, { ...mine, rateWindow: '3600', opened });
    expect(status).to.equal(412);
    expect(conflictRowsIn(text)).to.deep.equal([
      ['Description', 'Two\nlines', 'Theirs', 'As stored now'],
      ['Rate limit', '100 per minute', '200 per minute', '100 per hour'],
    ]);
    expect(text).to.match(/<textarea\s+id="description"[^>]*>\n?Theirs</);
    expect(text).to.match(/id="rateLimit"[^>]*value="100"/s);
    expect(text).to.match(/value="3600" selected/);
  });
});
