import { expect } from 'chai';
import { PASSWORD } from '../support/cast.ts';
import { onDatabase } from '../support/databases.ts';
import { useServer } from '../support/useServer.ts';
import { Visitor } from '../support/visitor.ts';
import { acmePage } from '../support/organisationPages.ts';

onDatabase('sqlite', 'a page of the admin', (database) => {
  const { server, alice } = useServer(database);

  it('is sent compressed to its readers, and never where another site made the browser ask', async () => {
    const visitor = new Visitor(server);
    await visitor.signIn(alice.email, PASSWORD);
    const encoded = async (headers: Record<string, string>) => {
      const { status, headers: answered } = await visitor.get(acmePage('/api-keys?q=guess'), {
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
