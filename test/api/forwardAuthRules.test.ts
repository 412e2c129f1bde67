import { expect } from 'chai';
import { mintKey } from '../../app/domain/token.ts';
import { addPlayer, as, bearer, type Player } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { auditOf, issue, refusal } from '../support/keys.ts';
import { askAs } from '../support/proxies.ts';
import { useServer } from '../support/useServer.ts';

const PATH = '/api/v1/forward-auth/rules';
const TRY = '/api/v1/forward-auth/try';
const READ = { method: 'GET', path: '/projects/:id', scope: 'projects:read' };
const WRITE = { method: '*', path: '/projects/*', scope: 'projects:write' };
const OPEN = { method: 'GET', path: '/', public: true };

onEachDatabase('the forward-auth rules', (database) => {
  const { server, acme, alice } = useServer(database);
  let operator: Player;

  before(async () => {
    operator = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
  });

  const put = async (rules: unknown, headers = bearer(operator)) => server.put(PATH, { rules }, headers);
  const stored = async () => server.get(PATH, bearer(operator));

  it('are none at first, and are replaced as a whole by operators and by keys of theirs', async () => {
    const none = await stored();
    expect(none.body).to.deep.equal({ rules: [], warnings: [] });
    const answer = await put([READ, WRITE, OPEN]);
    expect(answer.status, answer.text).to.equal(200);
    expect((await stored()).body).to.deep.equal({ rules: [READ, WRITE, OPEN], warnings: [] });
    const { key } = await issue(server, as(operator), { scopes: ['platform:routes'] });
    expect((await put([READ], { 'x-api-key': key })).status).to.equal(200);
    expect((await stored()).body).to.deep.equal({ rules: [READ], warnings: [] });
  });

  it('are closed to owners and to keys that may do everything of a tenant', async () => {
    const { key } = await issue(server, as(alice), { scopes: ['*'] });
    for (const headers of [bearer(alice), { 'x-api-key': key }]) {
      refusal(await put([OPEN], headers), 403, 'insufficient_scope');
      refusal(await server.get(PATH, headers), 403, 'insufficient_scope');
      refusal(await server.post(TRY, { method: 'GET', path: '/' }, headers), 403, 'insufficient_scope');
    }
  });

  it('name the rule and field that is wrong, and are left as they were', async () => {
    await put([READ]);
    const wrong: [rules: unknown, paths: string[]][] = [
      [
        [READ, { ...READ, path: '/files/*', scope: 'fyles:read' }, { ...WRITE, scope: 'nobody:knows' }],
        ['rules.1.scope', 'rules.2.scope'],
      ],
      [[{ ...READ, path: 'projects' }], ['rules.0.path']],
      [[READ, { ...READ, scope: 'projects:write' }], ['rules.1']],
      [[READ, OPEN, { ...OPEN, public: undefined, scope: 'read' }], ['rules.2']],
      [[{ ...READ, public: true }], ['rules.0']],
      [[{ method: 'GET', path: '/' }], ['rules.0']],
      [[{ ...READ, public: false, scope: undefined }], ['rules.0.public']],
      [[{ ...READ, tenantId: 'x' }], ['rules.0.tenantId']],
      [Array.from({ length: 501 }, (_, n) => ({ ...READ, path: `/${n}` })), ['rules']],
      [undefined, ['rules']],
    ];
    for (const [rules, paths] of wrong) {
      expect(refusal(await put(rules), 422, 'invalid_input'), JSON.stringify(rules)).to.deep.equal(paths);
    }
    expect((await stored()).body).to.deep.equal({ rules: [READ], warnings: [] });
  });

  it('may be 500, and warn of one that can never match and of one whose scope nobody can have', async () => {
    const many = Array.from({ length: 500 }, (_, n) => ({ method: 'GET', path: `/${n}`, scope: 'read' }));
    expect((await put(many)).status).to.equal(200);
    const answer = await put([WRITE, READ, OPEN]);
    expect((answer.body as { warnings: unknown }).warnings).to.deep.equal([
      { rule: 1, code: 'never_matches', hiddenBy: 0 },
    ]);
    const setting = server.services.db('installation_settings').where({ name: 'forward_auth_rules' });
    const value = JSON.stringify({ rules: [{ ...READ, scope: 'gone:read' }] });
    await setting.update({ value, revision: '01890000-0000-7000-8000-00000000000a' });
    expect((await stored()).body).to.deep.equal({
      rules: [{ ...READ, scope: 'gone:read' }],
      warnings: [{ rule: 0, code: 'unknown_scope' }],
    });
    await setting.update({ value: '{"rules":[{"method":"GET","path":"/","open":true}]}', revision: 'broken' });
    expect((await askAs('caddy', server)).status, 'rules that are not readable').to.equal(500);
    await put([READ]).catch(() => undefined);
    await setting.update({ value: null, revision: 'mended' });
  });

  it('have a version that changes with them, and are not replaced by who has seen another', async () => {
    const before = (await put([READ])).headers.etag ?? '';
    expect((await put([READ])).headers.etag, 'the same again').to.equal(before);
    const after = (await put([WRITE], { ...bearer(operator), 'If-Match': before })).headers.etag ?? '';
    expect(after).not.to.equal(before);
    refusal(await put([READ], { ...bearer(operator), 'If-Match': before }), 412, 'changed_meanwhile');
    expect((await stored()).headers.etag).to.equal(after);
  });

  it('are in the audit log of whoever changed them: what came, what went, and the order', async () => {
    await put([READ, OPEN]);
    const written = async (rules: unknown) => {
      const etag = ((await put(rules)).headers.etag ?? '').replaceAll('"', '');
      return auditOf(server, as(operator), etag);
    };
    const [changed] = await written([OPEN, WRITE]);
    expect(changed).to.deep.include({
      action: 'ROUTES_CHANGED',
      entity: 'forward_auth',
      actorId: operator.id,
      before: { rules: ['GET /projects/:id → projects:read'] },
      after: { rules: ['* /projects/* → projects:write'] },
    });
    const [moved] = await written([WRITE, OPEN]);
    expect(moved?.after).to.deep.equal({ rules: ['* /projects/* → projects:write', 'GET / → public'] });
    expect((await auditOf(server, as(alice), changed?.entityId ?? '')).length, 'the same tenant').to.equal(1);
  });

  it('say of a request that is tried which of them decides and why, and count nothing', async () => {
    const host = { method: '*', host: 'admin.example', path: '/*', scope: 'admin:read' };
    await put([host, WRITE, { ...READ, path: '/orders/:id' }, OPEN]);
    const tried = async (trial: object) =>
      (await server.post(TRY, trial, bearer(operator))).body as Record<string, unknown>;
    const key = await issue(server, as(alice), {
      scopes: ['projects:read'],
      monthlyQuota: 1,
      allowedIps: ['192.0.2.1'],
    });
    const asked = { method: 'get', path: '/orders/%34%32?x=1' };
    expect(await tried(asked)).to.deep.equal({
      allowed: false,
      status: 401,
      code: 'missing_credential',
      path: '/orders/42',
      rule: 2,
      matched: { ...READ, path: '/orders/:id' },
      passedOver: [
        { rule: 0, because: 'host' },
        { rule: 1, because: 'path' },
      ],
    });
    for (let n = 0; n < 2; n++) {
      const outcome = await tried({ ...asked, key: key.key });
      expect(outcome).to.include({ allowed: true, status: 200, code: 'allowed', rule: 2 });
      expect(outcome.headers).to.include({ 'X-Auth-Key-Id': key.id, 'X-Auth-Scopes': 'projects:read' });
    }
    const code = async (trial: object) => (await tried({ ...asked, ...trial })).code;
    expect(await code({ key: key.key, ip: '192.0.2.2' })).to.equal('address_not_allowed');
    expect(await code({ key: key.key, path: '/projects/1', method: 'POST' })).to.equal('insufficient_scope');
    expect(await code({ key: mintKey(server.services.config.keys, 'live').key })).to.equal('invalid_key');
    expect(await code({ path: '/nowhere' })).to.equal('no_matching_rule');
    expect(await code({ path: '/', host: 'ADMIN.example:443' })).to.equal('missing_credential');
    const starred = await server.post(TRY, { method: '*', path: '/' }, bearer(operator));
    expect(refusal(starred, 422, 'invalid_input')).to.deep.equal(['method']);
    expect(starred.text).to.include('"Must be a method such as GET"');
    expect(await tried({ method: 'GET', path: '/a/../b' })).to.include({
      code: 'invalid_path',
      path: null,
      pathFault: 'path_dot_segment',
    });
    await server.services.usage.flush();
    expect(await server.services.db('api_key_usage').where({ key_id: key.id })).to.deep.equal([]);
  });
});
