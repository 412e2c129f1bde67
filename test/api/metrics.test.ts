import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect } from 'chai';
import { as } from '../support/cast.ts';
import { endChildren, freePort, startMain } from '../support/child.ts';
import { onDatabase, onEachDatabase } from '../support/databases.ts';
import { Client } from '../support/http.ts';
import { issue } from '../support/keys.ts';
import { useServer, useServerWithoutCast } from '../support/useServer.ts';

const STAFF = { ADMIN_USER: 'staff', ADMIN_PASSWORD: 'a long enough password' };
const basic = (password: string) => ({ Authorization: `Basic ${Buffer.from(`staff:${password}`).toString('base64')}` });
/** What proxies add, and what they do not: nginx's default adds nothing. */
const CALLERS = [{}, { 'X-Forwarded-For': '203.0.113.9' }, { Via: '1.1 proxy' }];

onEachDatabase('the metrics', (database) => {
  const { server, alice } = useServer(database, STAFF);

  it('count the uses of keys that were noted and written', async () => {
    const { key } = await issue(server, as(alice));
    for (let i = 0; i < 3; i++) await server.get('/api/v1/whoami', { 'x-api-key': key });
    await server.services.usage.flush();
    const { status, headers, text } = await server.get('/metrics', basic(STAFF.ADMIN_PASSWORD));
    expect(status).to.equal(200);
    expect(headers['content-type']).to.match(/^text\/plain; version=0\.0\.4/);
    expect(text).to.match(/^latchkey_usage_recorded_total 3$/m);
    expect(text).to.match(/^latchkey_usage_written_total 3$/m);
    expect(text).to.match(/^latchkey_usage_refused_total 0$/m);
    expect(text).to.match(/^latchkey_usage_lost_total 0$/m);
    expect(text).to.match(/^process_resident_memory_bytes \d+$/m);
  });

  it('take the password of support staff and nothing less, from the machine itself too', async () => {
    for (const caller of CALLERS) {
      expect((await server.get('/metrics', caller)).status).to.equal(401);
      expect((await server.get('/metrics', { ...caller, ...basic('wrong') })).status).to.equal(401);
      expect((await server.get('/metrics', { ...caller, ...basic(STAFF.ADMIN_PASSWORD) })).status).to.equal(200);
    }
  });
});

onEachDatabase('the metrics without support staff', (database) => {
  const server = useServerWithoutCast(database);

  it('do not exist, from the machine itself either', async () => {
    for (const caller of CALLERS) expect((await server.get('/metrics', caller)).status).to.equal(404);
  });
});

onDatabase('sqlite', 'METRICS_PORT', (database) => {
  afterEach(endChildren);

  it('serves the metrics on loopback without a password, and ends with the process', async function () {
    this.timeout(30_000);
    const METRICS_PORT = String(await freePort());
    const child = await startMain({ ...database.env(), METRICS_PORT });
    await child.says('"msg":"ready"');
    const metrics = new Client(`http://127.0.0.1:${METRICS_PORT}`);
    const { status, headers, text } = await metrics.get('/metrics');
    expect(status).to.equal(200);
    expect(headers['content-type']).to.match(/^text\/plain; version=0\.0\.4/);
    expect(text).to.match(/^latchkey_usage_backlog 0$/m);
    expect((await metrics.get('/api/health')).status).to.equal(404);
    expect((await metrics.post('/metrics', {})).status).to.equal(405);
    metrics.close();
    if (hasIpv6()) expect(await accepts(Number(METRICS_PORT), '::1')).to.equal(true);
    expect((await child.client.get('/metrics')).status, 'on the public port').to.equal(404);
    expect(await accepts(Number(METRICS_PORT), outerAddress()), 'from outside').to.equal(false);
    child.client.close();
    child.kill('SIGTERM');
    expect(await child.ended).to.deep.equal({ code: 0, signal: null });
    expect(await accepts(Number(METRICS_PORT), '127.0.0.1')).to.equal(false);
  });

  it('that somebody has ends the start with one line that names it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const child = await startMain({ ...database.env(), METRICS_PORT: String(port) });
    expect(await child.ended).to.deep.equal({ code: 1, signal: null });
    expect(child.stderr).to.equal(`METRICS_PORT ${port} is already in use: choose another port\n`);
    other.close();
  });
});

const addresses = () => Object.values(networkInterfaces()).flatMap((all) => all ?? []);
const hasIpv6 = () => addresses().some(({ address }) => address === '::1');
/** An address of this machine that others can reach; loopback's second address where it has none. */
const outerAddress = () =>
  addresses().find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.2';

async function accepts(port: number, host: string): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
