import { expect } from 'chai';
import { as } from '../support/cast.ts';
import { Caddy } from '../support/caddy.ts';
import { onEachDatabase } from '../support/databases.ts';
import { auditOf, issue, type Key } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

const WHOAMI = '/api/v1/whoami';
const STAFF = { ADMIN_USER: 'staff', ADMIN_PASSWORD: 'a long enough password' };
/** More headers than Node keeps by itself, within the size that it takes. */
const PADDING = Array.from({ length: 1_100 }, () => 'a: b\r\n').join('');

onEachDatabase('behind a trusted proxy', (database) => {
  const { server, ...cast } = useServer(database, { ...STAFF, TRUSTED_HOPS: '1' });
  let caddy: Caddy;
  let inside: Key;
  before(async function () {
    this.timeout(120_000);
    caddy = await Caddy.inFrontOf(server.url);
    inside = await issue(server, as(cast.alice), { allowedIps: ['127.0.0.0/8', '10.0.0.0/8'] });
  });
  after(async () => caddy.stop());

  const use = async ({ key }: Pick<Key, 'key'>, headers: Record<string, string> = {}) =>
    server.get(WHOAMI, { 'x-api-key': key, ...headers });
  const padded = (path: string, lines: string) =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\n${PADDING}${lines}Connection: close\r\n\r\n`;
  const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);

  it('a key limited to networks is refused where no address is told, whatever the socket’s is', async () => {
    expect((await use(inside, { 'X-Forwarded-For': '10.1.2.3' })).status).to.equal(200);
    expect((await use(inside, { 'X-Forwarded-For': '10.1.2.3:4711' })).status).to.equal(200);
    const untold = [
      {},
      { 'X-Forwarded-For': '' },
      { 'X-Forwarded-For': 'unknown' },
      { 'X-Forwarded-For': '10.1.2.3, _x' },
    ];
    for (const headers of untold) {
      const { status, body } = await use(inside, headers);
      expect([status, (body as { code: string }).code]).to.deep.equal([403, 'address_not_allowed']);
    }
  });

  it('a tenant limited to networks refuses its keys where no address is told', async () => {
    const { key } = await issue(server, as(cast.charlie));
    const { db } = server.services;
    const policy = JSON.stringify({ allowedNetworks: ['127.0.0.0/8'] });
    await db('tenants').where({ id: cast.globex.id }).update({ policy });
    expect((await use({ key }, { 'X-Forwarded-For': '127.0.0.1' })).status).to.equal(200);
    expect((await use({ key })).status).to.equal(403);
    await db('tenants').where({ id: cast.globex.id }).update({ policy: null });
  });

  it('an address that is not told is null in the audit log, in uses and in the key', async () => {
    const made = await issue(server, as(cast.alice));
    expect((await auditOf(server, as(cast.alice), made.id)).map(({ ipAddress }) => ipAddress)).to.deep.equal([null]);
    expect((await use(made)).status).to.equal(200);
    await server.services.usage.flush();
    const path = `/api/api-keys/${made.id}`;
    const { body: uses } = await server.get(`${path}/usage`, as(cast.alice));
    expect((uses as { data: { ipAddress: unknown }[] }).data.map(({ ipAddress }) => ipAddress)).to.deep.equal([null]);
    expect((await server.get(path, as(cast.alice))).body).to.include({ lastUsedIp: null });
  });

  it('what stands after a thousand headers counts like the rest', async () => {
    const key = `x-api-key: ${inside.key}\r\n`;
    const outside = 'X-Forwarded-For: 203.0.113.9\r\n';
    expect(statusOf(await server.raw(padded(WHOAMI, `X-Forwarded-For: 10.1.2.3\r\n${key}`)))).to.equal(200);
    expect(statusOf(await server.raw(padded(WHOAMI, `${key}${outside}`)))).to.equal(403);
    const two = await server.raw(padded(WHOAMI, `${key}${key}`));
    expect(two)
      .to.match(/^HTTP\/1\.1 400 /)
      .and.include('ambiguous_credentials');
    expect(statusOf(await server.raw(padded('/metrics', outside)))).to.equal(401);
  });

  it('a request padded with a thousand headers comes through Caddy with its address', async () => {
    const outside = await issue(server, as(cast.alice), { allowedIps: ['10.0.0.0/8'] });
    const ask = async (path: string, { key }: Key) => caddy.raw(padded(path, `x-api-key: ${key}\r\n`));
    // Caddy writes the address it saw, which is this machine's.
    const answer = await ask(WHOAMI, inside);
    expect(statusOf(answer)).to.equal(200);
    const requestId = /x-request-id: (\S+)/i.exec(answer)?.[1] ?? 'none';
    const line = server.log.find((one) => one.includes(requestId)) ?? '{}';
    expect(JSON.parse(line)).to.include({ address: '127.0.0.1', status: 200 });
    expect(statusOf(await ask(WHOAMI, outside))).to.equal(403);
    expect(statusOf(await ask('/metrics', inside))).to.equal(401);
  });
});
