import { expect } from 'chai';
import { as, castOf } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { issue } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';

const STAFF = { ADMIN_USER: 'staff', ADMIN_PASSWORD: 'a long enough password' };
const basic = (password: string) => ({ Authorization: `Basic ${Buffer.from(`staff:${password}`).toString('base64')}` });
/** What a proxy on the same machine adds: then it is not the machine itself that asks. */
const FROM_OUTSIDE = { 'X-Forwarded-For': '203.0.113.9' };

onEachDatabase('the metrics', (database) => {
  let server: TestServer;
  before(async () => {
    server = await startServer(database.env(), STAFF);
  });
  after(async () => server.stop());

  it('count the uses of keys that were noted and written', async () => {
    const { alice } = await castOf(server);
    const { key } = await issue(server, as(alice));
    for (let i = 0; i < 3; i++) await server.get('/api/v1/whoami', { 'x-api-key': key });
    await server.services.usage.flush();
    const { status, headers, text } = await server.get('/metrics');
    expect(status).to.equal(200);
    expect(headers['content-type']).to.match(/^text\/plain; version=0\.0\.4/);
    expect(text).to.match(/^latchkey_usage_recorded_total 3$/m);
    expect(text).to.match(/^latchkey_usage_written_total 3$/m);
    expect(text).to.match(/^latchkey_usage_refused_total 0$/m);
    expect(text).to.match(/^latchkey_usage_lost_total 0$/m);
    expect(text).to.match(/^process_resident_memory_bytes \d+$/m);
  });

  it('take the password of support staff from elsewhere, and nothing less', async () => {
    expect((await server.get('/metrics', FROM_OUTSIDE)).status).to.equal(401);
    expect((await server.get('/metrics', { ...FROM_OUTSIDE, ...basic('wrong') })).status).to.equal(401);
    expect((await server.get('/metrics', { ...FROM_OUTSIDE, ...basic(STAFF.ADMIN_PASSWORD) })).status).to.equal(200);
  });
});

onEachDatabase('the metrics without support staff', (database) => {
  it('do not exist from elsewhere', async () => {
    const server = await startServer(database.env());
    expect((await server.get('/metrics', FROM_OUTSIDE)).status).to.equal(404);
    await server.stop();
  });
});
