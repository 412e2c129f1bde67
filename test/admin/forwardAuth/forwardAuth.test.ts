import { expect } from 'chai';
import { addPlayer, as, PASSWORD } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { conflictRowsIn, openedIn } from '../../support/formConflict.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';

const HOME = '/admin/forward-auth';

onEachDatabase('the page of forward-auth rules', (database) => {
  const { server, acme, alice } = useServer(database);
  let operator: Visitor;

  before(async () => {
    const olga = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
    operator = new Visitor(server);
    await operator.signIn(olga.email, PASSWORD);
  });

  const version = async () =>
    /name="version" value="([^"]+)"/.exec((await operator.get(`${HOME}/rule`)).text)?.[1] ?? '';
  const send = async (action: string, fields: Record<string, string>) =>
    operator.submit(`${HOME}/${action}`, { version: await version(), ...fields });
  /** The rules as the page lists them, one a line. */
  const listed = async () => {
    const { status, text } = await operator.get(HOME);
    expect(status).to.equal(200);
    const rows = [...text.matchAll(/<code class="breaks">(.*?)<\/code>/gs)].map(([, row = '']) => row);
    return rows.map((row) => row.replace(/<[^>]+>/g, '').trim());
  };
  const notice = async () =>
    /<p class="toast-text"[^>]*>([^<]+)|class="toast[^>]*>([^]*?)<\/div>/.exec((await operator.get(HOME)).text)?.[0] ??
    '';

  it('is closed to owners who are no operators', async () => {
    const visitor = new Visitor(server);
    await visitor.signIn(alice.email, PASSWORD);
    expect((await visitor.get(HOME)).status).to.equal(403);
    expect(
      (await visitor.submit(`${HOME}/rule`, { rule: '0', method: 'GET', path: '/', scope: 'public' })).status,
    ).to.equal(403);
  });

  it('adds, changes, moves and removes a rule by forms alone, and warns of one that never matches', async () => {
    expect((await operator.get(HOME)).text).to.include('No rules yet');
    await send('rule', { rule: '0', method: '*', host: '', path: '/files/*', scope: 'files:write' });
    await send('rule', { rule: '0', method: 'get', host: 'Shop.example', path: '/files/:id', scope: 'public' });
    expect(await listed()).to.deep.equal(['* /files/*', 'GET shop.example/files/:id']);
    expect((await operator.get(HOME)).text).to.include('Never matches: rule 1 is about all of its requests.');
    await send('move', { rule: '2', to: 'up' });
    expect(await listed()).to.deep.equal(['GET shop.example/files/:id', '* /files/*']);
    expect((await operator.get(HOME)).text).not.to.include('Never matches');
    const form = (await operator.get(`${HOME}/rule?rule=1`)).text;
    expect(form).to.include('value="shop.example"').and.include('<option value="public" selected>');
    await send('rule', { rule: '1', method: 'GET', host: '', path: '/files/:name', scope: 'files:read' });
    expect(await listed()).to.deep.equal(['GET /files/:name', '* /files/*']);
    await send('remove', { rule: '2' });
    expect(await listed()).to.deep.equal(['GET /files/:name']);
    expect((await operator.get(`${HOME}/rule?rule=2`)).status).to.equal(404);
  });

  it('keeps what was typed into a rule that is wrong, and says beside the field what is', async () => {
    const wrong = { rule: '0', method: 'GET', host: 'shop.example:80', path: '/files*', scope: '' };
    const { status, text } = await send('rule', wrong);
    expect(status).to.equal(422);
    expect(text).to.include('value="/files*"').and.include('value="shop.example:80"');
    for (const id of ['host-problem', 'path-problem', 'scope-problem']) expect(text).to.include(`id="${id}"`);
    const same = await send('rule', { rule: '0', method: 'GET', path: '/files/:name', host: '', scope: 'public' });
    expect([same.status, /id="path-problem">[^]*?<\/p>/.exec(same.text)?.[0]]).to.satisfy(
      ([code, problem]: [number, string]) => code === 422 && problem.includes('rule 1'),
    );
    expect(await listed()).to.deep.equal(['GET /files/:name']);
  });

  it('changes nothing where somebody has changed the rules meanwhile, and says so', async () => {
    const seen = await version();
    await send('rule', { rule: '0', method: 'GET', path: '/a', host: '', scope: 'read' });
    await send('remove', { version: seen, rule: '1' });
    expect(await notice()).to.include('somebody has changed the rules meanwhile');
    expect(await listed()).to.deep.equal(['GET /files/:name', 'GET /a']);
  });

  it('says which rule decides on a request that is tried, and shows the key to nobody', async () => {
    const { key } = await issue(server, as(alice), { name: 'shop key', scopes: ['files:read'] });
    const tried = async (fields: Record<string, string>) =>
      (await send('try', { method: 'GET', host: '', path: '/a', key: '', ...fields })).text.replace(/\s+/g, ' ');
    const refused = await tried({});
    expect(refused).to.include('Refused with 401.').and.include('Rule 2 decides on /a.').and.include('It takes read.');
    expect(refused).to.include('Rule 1 is for another path.');
    const allowed = await tried({ path: '/files/%61?b', key });
    expect(allowed)
      .to.include('Let through.')
      .and.include('Rule 1 decides on /files/a.')
      .and.include('The key is shop key.');
    expect(allowed).not.to.include(key);
    expect(await tried({ path: '/files/../a' }))
      .to.include('Refused with 400.')
      .and.include('. or .. as a segment');
    expect(await tried({ path: '/b' }))
      .to.include('Refused with 403.')
      .and.include('No rule is about /b.');
    expect(await tried({ method: '', path: '' }))
      .to.include('id="method-problem"')
      .and.include('id="path-problem"');
  });

  it('keeps a rule that was typed while somebody changed the rules, and shows what they made of it', async () => {
    const form = (await operator.get(`${HOME}/rule?rule=2`)).text;
    const mine = { rule: '2', method: 'POST', path: '/a', host: '', scope: 'read', opened: openedIn(form) };
    const seen = await version();
    await send('move', { rule: '2', to: 'up' });
    const moved = await send('rule', { ...mine, version: seen });
    expect([moved.status, conflictRowsIn(moved.text)]).to.deep.equal([412, []]);
    expect(moved.text)
      .to.include('name="rule" value="1"')
      .and.match(/id="method"[^>]*value="POST"/s);

    await send('rule', { rule: '1', method: 'GET', path: '/b', host: '', scope: 'read' });
    const changed = await send('rule', { ...mine, rule: '1', version: seen });
    expect(conflictRowsIn(changed.text)).to.deep.equal([['Path', '/a', '/b', 'As stored now']]);
    expect(changed.text)
      .to.match(/id="path"[^>]*value="\/b"/s)
      .and.match(/id="method"[^>]*value="POST"/s);
    const again = { ...mine, rule: '1', path: '/b', opened: openedIn(changed.text) };
    expect((await send('rule', again)).status).to.equal(303);

    await send('remove', { rule: '2' });
    const gone = await send('rule', { ...mine, version: seen });
    expect(gone.text).to.include('This rule was removed.').and.include('name="rule" value="0"');
    expect(await listed()).to.deep.equal(['POST /b']);
  });
});
