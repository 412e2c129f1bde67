import { expect } from 'chai';
import { castOf, PASSWORD, type Cast } from '../support/cast.ts';
import { onDatabase } from '../support/databases.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

onDatabase('sqlite', 'a page', (database) => {
  let server: TestServer;
  let cast: Cast;
  before(async () => {
    server = await startServer(database.env());
    cast = await castOf(server);
  });
  after(async () => server.stop());

  it('is sent compressed to its readers, and never where another site made the browser ask', async () => {
    const visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
    const encoded = async (headers: Record<string, string>) => {
      const { status, headers: answered } = await visitor.get('/admin/api-keys?q=guess', {
        'Accept-Encoding': 'gzip',
        ...headers,
      });
      expect(status).to.equal(200);
      return answered['content-encoding'];
    };
    expect(await encoded({})).to.equal('gzip');
    for (const site of ['none', 'same-origin']) expect(await encoded({ 'Sec-Fetch-Site': site })).to.equal('gzip');
    for (const site of ['cross-site', 'same-site']) {
      expect(await encoded({ 'Sec-Fetch-Site': site }), site).to.equal(undefined);
    }
  });
});
