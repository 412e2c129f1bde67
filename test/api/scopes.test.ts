import { expect } from 'chai';
import { addPlayer, as, type Player } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { detailOf, issue, refusal } from '../support/keys.ts';
import { useServer, useServerWithoutCast } from '../support/useServer.ts';

const INVOICES = {
  scope: 'invoices:read',
  group: 'Invoices',
  description: { en: 'See invoices.', fr: 'Voir les factures.' },
  alias: 'bills:read',
};
const WRITING = { scope: 'invoices:write', group: 'Invoices', description: { en: 'Change invoices.' } };
const ARCHIVE = { scope: 'archives:read', description: { en: 'Read archives.' } };

onEachDatabase('the scopes of the product', (database) => {
  const { server, alice, acme } = useServer(database);
  const other = useServerWithoutCast(database);
  let operator: Player;
  let platform: Headers;
  let sample: { scopes: unknown[] };

  before(async () => {
    operator = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
    const { key } = await issue(server, as(operator), { scopes: ['platform:scopes', 'keys:verify'] });
    platform = { 'x-api-key': key };
    sample = (await server.get('/api/v1/scopes', platform)).body as typeof sample;
  });
  beforeEach(async () => {
    expect((await put([INVOICES, WRITING], '?force=true')).status).to.equal(200);
  });

  const put = async (scopes: unknown[], query = '', headers: Headers = platform): Promise<Answer> =>
    server.send('PUT', `/api/v1/scopes${query}`, { json: { scopes }, headers });
  const verify = async (key: string, scopes: string[], at = server) =>
    ((await at.post('/api/v1/keys/verify', { key, scopes }, platform)).body as { code: string }).code;
  const available = async (headers: Headers = {}) =>
    (await server.get('/api/api-keys/scopes/available', { ...as(alice), ...headers })).body as {
      scopes: string[];
      catalogue: { scope: string; description: string; group: string; routes: string[] }[];
    };

  it('are those of the sample product at first, in the form that PUT takes back', async () => {
    expect(sample.scopes).to.deep.include({
      scope: 'support:read',
      alias: 'tickets:read',
      group: 'services',
      description: { en: 'Follow support tickets.', fr: 'Suivre les demandes d’assistance.' },
    });
    const answer = await put(sample.scopes);
    expect([answer.status, (answer.body as typeof sample).scopes]).to.deep.equal([200, sample.scopes]);
  });

  it('are shown and replaced by operators and keys with platform:scopes alone, which only operators grant', async () => {
    expect((await server.get('/api/v1/scopes', as(operator))).body).to.deep.equal({ scopes: [INVOICES, WRITING] });
    expect((await put([INVOICES, WRITING, ARCHIVE], '', as(operator))).status).to.equal(200);
    const { key: star } = await issue(server, as(alice), { scopes: ['*'] });
    for (const headers of [as(alice), { 'x-api-key': star }]) {
      refusal(await server.get('/api/v1/scopes', headers), 403, 'insufficient_scope');
      refusal(await put([], '?force=true', headers), 403, 'insufficient_scope');
    }
    const wish = { name: 'x', scopes: ['platform:scopes'] };
    refusal(await server.post('/api/api-keys', wish, as(alice)), 403, 'insufficient_permission');
  });

  it('can be granted, are offered with their words and group, and replace those of the sample product', async () => {
    await issue(server, as(alice), { scopes: ['invoices:read', 'bills:read', 'invoices:*'] });
    const refused = await server.post('/api/api-keys', { name: 'x', scopes: ['read', 'orders:read'] }, as(alice));
    expect(refusal(refused, 422, 'invalid_input')).to.deep.equal(['scopes.1']);
    expect(detailOf(refused)).to.include('Unknown scopes: orders:read');
    const policy = await server.post('/api/security-center/settings', { defaultScopes: ['orders:read'] }, as(alice));
    expect(refusal(policy, 422, 'invalid_input')).to.deep.equal(['defaultScopes.0']);
    const { scopes, catalogue } = await available({ 'Accept-Language': 'fr' });
    expect(scopes).to.include.members(['read', 'invoices:read', 'bills:read', 'invoices:write', 'users:read']);
    expect(scopes).to.not.include.members(['orders:read', 'support:read']);
    const shown = catalogue.find(({ scope }) => scope === 'invoices:read');
    expect(shown).to.deep.equal({
      scope: 'invoices:read',
      alias: 'bills:read',
      group: 'Invoices',
      description: 'Voir les factures.',
      routes: [],
    });
    expect((await available()).catalogue.find(({ scope }) => scope === 'bills:read')?.description).to.equal(
      'See invoices.',
    );
  });

  it('bound what keys give to keys by what each name stands for at the moment', async () => {
    await server.post('/api/security-center/settings', { keysMayManageKeys: true }, as(alice));
    const { key } = await issue(server, as(alice), { scopes: ['api-keys:write', 'invoices:write'] });
    const grant = async (scope: string) =>
      (await server.post('/api/v1/api-keys', { name: 'x', scopes: [scope] }, { 'x-api-key': key })).status;
    expect([await grant('bills:read'), await grant('invoices:read'), await grant('invoices:*')]).to.deep.equal([
      201, 201, 403,
    ]);
    await put([INVOICES, WRITING, { ...ARCHIVE, alias: 'bills:archive' }]);
    expect(await grant('bills:archive')).to.equal(403);
  });

  it('go only by force while keys hold them, with how many do, and keys keep what is gone', async () => {
    await put(sample.scopes, '?force=true');
    await put([INVOICES, WRITING], '?force=true');
    const { key } = await issue(server, as(alice), { scopes: ['bills:read', 'invoices:write'] });
    const refused = await put([WRITING]);
    expect(refusal(refused, 409, 'scopes_in_use')).to.include('scopes');
    expect(refused.text).to.match(/bills:read is held by (one key|\d+ keys)/);
    expect((await server.get('/api/v1/scopes', platform)).body).to.deep.equal({ scopes: [INVOICES, WRITING] });
    refusal(await put([WRITING], '?force=maybe'), 400, 'invalid_query');
    const forced = (await put([WRITING], '?force=true')).body as { stillHeld: { scope: string; keys: number }[] };
    expect(forced.stillHeld.map(({ scope }) => scope)).to.include('bills:read');
    expect(forced.stillHeld.every(({ keys }) => keys > 0)).to.equal(true);
    expect(await verify(key, ['bills:read'])).to.equal('valid');
    const { data } = (await server.get('/api/audit-logs?action=SCOPES_CHANGED&limit=1', as(operator))).body as {
      data: { before: unknown; after: unknown; actorType: string }[];
    };
    expect(data[0]).to.deep.include({
      before: { scopes: ['invoices:read'] },
      after: { scopes: [] },
      actorType: 'api_key',
    });
    // What a key holds it keeps when it is changed, and gets no more of it.
    const held = await issue(server, as(alice), { scopes: ['invoices:write'] });
    await put([], '?force=true');
    const patched = await server.patch(`/api/api-keys/${held.id}`, { scopes: ['invoices:write', 'read'] }, as(alice));
    expect(patched.status, patched.text).to.equal(200);
  });

  it('are named by their place where they are wrong, and nothing of them is stored', async () => {
    const answer = await put([
      INVOICES,
      { ...WRITING, alias: 'users:read' },
      { scope: 'invoices:read', description: { en: 'Again.' } },
    ]);
    expect(refusal(answer, 422, 'invalid_input')).to.include.members(['scopes.1.alias', 'scopes.2.scope']);
    expect((await server.get('/api/v1/scopes', platform)).body).to.deep.equal({ scopes: [INVOICES, WRITING] });
  });

  it('are replaced only as they were seen where If-Match says so', async () => {
    const seen = String((await server.get('/api/v1/scopes', platform)).headers.etag);
    const changed = await put([INVOICES, WRITING, ARCHIVE], '', { ...platform, 'If-Match': seen });
    expect([changed.status, changed.headers.etag === seen]).to.deep.equal([200, false]);
    refusal(await put([INVOICES], '?force=true', { ...platform, 'If-Match': seen }), 412, 'changed_meanwhile');
  });

  it('are read by every process as they are when a question begins, whatever it knew before', async function () {
    this.timeout(60_000);
    const { key } = await issue(server, as(alice), { scopes: ['invoices:read'] });
    const late: string[] = [];
    for (let n = 0; n < 100; n++) {
      const alias = n % 2 === 0 ? 'bills:read' : 'notes:read';
      const answer = await put([{ ...INVOICES, alias }, WRITING], '?force=true');
      expect(answer.status, answer.text).to.equal(200);
      const codes = [
        await verify(key, [alias], other),
        await verify(key, [n % 2 === 0 ? 'notes:read' : 'bills:read'], other),
      ];
      if (codes.join() !== 'valid,insufficient_scope') late.push(`${n} ${codes.join()}`);
    }
    expect(late).to.deep.equal([]);
  });
});
