import { expect } from 'chai';
import { as, PASSWORD } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

const MOST_BYTES = 80_000;

onDatabase('sqlite', 'the weight of the keys page', (database) => {
  const { server, alice } = useServer(database);

  it('is under 80 KB as it is sent, with fifty keys on it and all it loads', async () => {
    const scopes = ['projects:write', 'orders:read', 'billing:read', 'customers:read'];
    for (let i = 0; i < 50; i++) await issue(server, as(alice), { name: `The key of service number ${i}`, scopes });
    const visitor = new Visitor(server);
    await visitor.signIn(alice.email, PASSWORD);
    const page = await visitor.get(acmePage('/api-keys'));
    expect(page.status).to.equal(200);
    const loaded = [...page.text.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)].map(([, address]) => address ?? '');
    expect(loaded.length).to.be.greaterThan(2);
    const weights = await Promise.all(
      [acmePage('/api-keys'), ...loaded].map(async (address) => sent(address, visitor)),
    );
    expect(weights[0]).to.be.greaterThan(1_000);
    expect(weights.reduce((sum, weight) => sum + weight)).to.be.lessThan(MOST_BYTES);
  });

  /** The bytes of the body as a browser gets them. */
  async function sent(address: string, visitor: Visitor): Promise<number> {
    const { status, headers } = await visitor.get(address, { 'Accept-Encoding': 'gzip' });
    expect(status, address).to.equal(200);
    return Number(headers['content-length']);
  }
});
