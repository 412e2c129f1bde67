import { expect } from 'chai';
import { settleScopes } from '../../../app/actions/installation/settleScopes.ts';
import { addPlayer, as, PASSWORD, type Player } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { issue, refusal } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

const PATHS = ['projects', 'orders', 'webhooks', 'billing', 'marketplace', 'support/tickets', 'builder/drafts'];
const PAGES = ['billing', 'marketplace', 'tickets'];
const OTHER_PAGES = [
  ...['/api-keys', '/api-keys/new', '/routes', '/usage', '/audit-logs', '/settings', '/members', '/members/new'],
  '/membership',
];
const OPERATOR_PAGES = ['/admin/tenants', '/admin/scopes', '/admin/forward-auth', '/admin/forward-auth/rule'];
const WORDS = /projects|orders|marketplace|billing|tickets|builder/i;

onEachDatabase('an installation without the sample product', (database) => {
  const { server, alice, acme } = useServer(database, { SAMPLE_PRODUCT: 'off' });
  let operator: Player;

  before(async () => {
    await settleScopes(server.services, undefined);
    operator = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
  });

  it('has none of its routes, and none of them in the documents, which say why names of its things are still there', async () => {
    for (const path of PATHS) refusal(await server.get(`/api/${path}`, as(alice)), 404, 'not_found');
    // What a person may be allowed is one list for every installation, and so is what may have been logged.
    const document = (await server.get('/openapi.json')).text.replace(/(billing|tickets):manage/g, '');
    expect(WORDS.exec(document)?.[0]).to.equal(undefined);
    expect(document).to.include(
      '`app`, `checkout`, `ticket`, `record`, `draft` are of the sample product: where it is off',
    );
    expect(document).to.include('people who hold them from before keep them');
    expect((await server.get('/api/audit-logs?entity=ticket', as(alice))).body).to.deep.include({ data: [] });
    expect((await server.get('/api/admin/routes', as(alice))).text).to.not.match(WORDS);
  });

  it('offers and grants none of its scopes', async () => {
    const { body, text } = await server.get('/api/api-keys/scopes/available', as(operator));
    expect(text).to.not.match(WORDS);
    expect((body as { scopes: string[] }).scopes).to.include.members([
      'read',
      'self:read',
      'keys:verify',
      'users:read',
    ]);
    const refused = await server.post('/api/api-keys', { name: 'x', scopes: ['projects:read'] }, as(alice));
    expect(refusal(refused, 422, 'invalid_input')).to.deep.equal(['scopes.0']);
    expect((await server.get('/api/v1/scopes', as(operator))).body).to.deep.equal({ scopes: [] });
  });

  it('verifies keys by the product’s own scopes, under names that the sample product had too', async () => {
    const scopes = [
      { scope: 'tickets:read', description: { en: 'See tickets.' } },
      { scope: 'fares:read', description: { en: 'See fares.' }, alias: 'orders:read' },
    ];
    const changed = await server.send('PUT', '/api/v1/scopes', { json: { scopes }, headers: as(operator) });
    expect(changed.status, changed.text).to.equal(200);
    const { key } = await issue(server, as(alice), { scopes: ['tickets:read', 'fares:read'] });
    const { key: caller } = await issue(server, as(alice), { scopes: ['keys:verify'] });
    const code = async (scope: string) => {
      const { body } = await server.post('/api/v1/keys/verify', { key, scopes: [scope] }, { 'x-api-key': caller });
      return (body as { code: string }).code;
    };
    expect([await code('tickets:read'), await code('orders:read'), await code('support:read')]).to.deep.equal([
      'valid',
      'valid',
      'insufficient_scope',
    ]);
  });

  it('holds a tenant to no plan that it had before', async () => {
    await server.services.db('tenants').where({ id: acme.id }).update({ plan: 'starter' });
    for (let n = 0; n < 11; n++) await issue(server, as(alice), { name: `key ${n}` });
    const { key } = await issue(server, as(alice));
    const { headers } = await server.get('/api/v1/whoami', { 'x-api-key': key });
    expect(headers['ratelimit-policy']).to.include('q=1000000');
  });

  it('shows none of its pages, and no word of it on the others', async () => {
    const visitor = new Visitor(server);
    await visitor.signIn(operator.email, PASSWORD);
    for (const page of PAGES) expect((await visitor.get(acmePage(`/${page}`))).status, page).to.equal(404);
    expect((await visitor.get('/admin/billing')).status).to.equal(404);
    const { id } = await issue(server, as(alice));
    const others = [`/api-keys/${id}`, ...OTHER_PAGES].map(acmePage);
    for (const page of [...others, ...OPERATOR_PAGES]) {
      const { status, text } = await visitor.get(page);
      expect([page, status]).to.deep.equal([page, 200]);
      expect(text.replace(/tickets:read|orders:read|See tickets\./g, ''), page).to.not.match(
        /\/(billing|marketplace|tickets|projects)\b|projects:|orders:|starter|(billing|tickets):manage|APP_|CHECKOUT_|TICKET_|RECORD_|DRAFT_|\bplan\b/i,
      );
    }
  });
});
