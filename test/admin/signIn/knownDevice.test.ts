import { expect } from 'chai';
import { PASSWORD } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { pageOf } from '../../support/organisationPages.ts';

const COOKIE = 'latchkey-device';
const NEW_PASSWORD = 'another horse battery staple';

onEachDatabase('a browser that has signed in before', (database) => {
  const { server, ...cast } = useServer(database, { LOGIN_LIMIT: '3/600', TRUSTED_HOPS: '1' });
  let addresses = 0;

  const browser = () => new Visitor(server, { 'X-Forwarded-For': `198.51.100.${++addresses}` });
  const known = async (email: string) => {
    const visitor = browser();
    expect((await visitor.signIn(email, PASSWORD)).status).to.equal(303);
    return visitor;
  };
  /** Wrong passwords from three addresses, and one more try that is refused. */
  const lockOut = async (email: string) => {
    for (let n = 0; n < 3; n++) expect((await browser().signIn(email, 'wrong')).status).to.equal(422);
    expect((await browser().signIn(email, PASSWORD)).status, 'anybody else').to.equal(429);
  };

  it('is not locked out by wrong passwords from elsewhere, and has a count of failures of its own', async () => {
    const hers = await known(cast.alice.email);
    await lockOut(cast.alice.email);
    expect((await hers.signIn(cast.alice.email, PASSWORD)).status).to.equal(303);
    for (let n = 0; n < 3; n++) expect((await hers.signIn(cast.alice.email, 'wrong')).status).to.equal(422);
    expect((await hers.signIn(cast.alice.email, PASSWORD)).status).to.equal(429);
  });

  it('is known for the account it signed in to, and for no other', async () => {
    const his = await known(cast.charlie.email);
    await lockOut(cast.bob.email);
    expect((await his.signIn(cast.bob.email, PASSWORD)).status).to.equal(429);
  });

  it('is known by a cookie that says nothing of the account and cannot be changed', async () => {
    const hers = await known(cast.carol.email);
    const text = hers.cookies.get(COOKIE) ?? '';
    expect(text).to.match(/^[\w-]{22}\.\d{13}\.[\w-]{43}$/);
    await lockOut(cast.carol.email);
    const [id = '', time = '', signature = ''] = text.split('.');
    const forged = [`${id}.${Number(time) + 1}.${signature}`, `${'A'.repeat(22)}.${time}.${signature}`, 'x', ''];
    for (const cookie of forged) {
      const visitor = browser();
      visitor.cookies.set(COOKIE, cookie);
      expect((await visitor.signIn(cast.carol.email, PASSWORD)).status, cookie).to.equal(429);
    }
    expect((await hers.signIn(cast.carol.email, PASSWORD)).status).to.equal(303);
  });

  it('is unknown once the password was changed in another one, which stays known', async () => {
    const { charlie } = cast;
    const [hers, other] = [await known(charlie.email), await known(charlie.email)];
    const fields = { current: PASSWORD, wanted: NEW_PASSWORD };
    expect((await other.submit(pageOf(cast.globex, '/settings/password'), fields)).status).to.equal(303);
    await lockOutWith(charlie.email);
    expect((await hers.signIn(charlie.email, NEW_PASSWORD)).status).to.equal(429);
    expect((await other.signIn(charlie.email, NEW_PASSWORD)).status).to.equal(303);
  });

  const lockOutWith = async (email: string) => {
    for (let n = 0; n < 3; n++) await browser().signIn(email, 'wrong');
  };
});
