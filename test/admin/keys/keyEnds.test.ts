import { expect } from 'chai';
import { as, PASSWORD } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { issue, rotate } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

onEachDatabase('the list of keys by their end', (database) => {
  const { server, alice } = useServer(database);
  let visitor: Visitor;
  before(async () => {
    await issue(server, as(alice), { name: 'never' });
    await issue(server, as(alice), { name: 'soon', expiresInDays: 3 });
    await issue(server, as(alice), { name: 'later', expiresInDays: 30 });
    const { id } = await issue(server, as(alice), { name: 'replaced', expiresInDays: 365 });
    const next = await rotate(server, as(alice), id, { gracePeriodSeconds: 3_600 });
    await server.patch(`/api/api-keys/${next.id}`, { name: 'successor' }, as(alice));
    visitor = new Visitor(server);
    await visitor.signIn(alice.email, PASSWORD);
  });

  const names = async (query: string) => {
    const { text } = await visitor.get(acmePage(`/api-keys?${query}`));
    return [...text.matchAll(/data-testid="name-[^"]*"><bdi>([^<]*)</g)].map(([, name]) => name);
  };

  it('has a key in its grace period where that ends, and keys that never end last in either order', async () => {
    expect(await names('sort=expiresAt')).to.deep.equal(['replaced', 'soon', 'later', 'successor', 'never']);
    expect(await names('sort=-expiresAt')).to.deep.equal(['successor', 'later', 'soon', 'replaced', 'never']);
  });

  it('counts a key whose grace period ends within a week among those that end soon, and shows it there', async () => {
    expect(await names('attention=expiring&sort=expiresAt')).to.deep.equal(['replaced', 'soon']);
    const { text } = await visitor.get(acmePage('/api-keys'));
    expect(text).to.match(/<b>2<\/b>\s*expire within 7 days/);
    expect(text).to.match(/<b>1<\/b>\s*never expires/);
  });
});
