import { expect } from 'chai';
import { newId } from '../../app/domain/id.ts';
import { as, PASSWORD } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { issue, refusal, rotate, type Key } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';
import { Visitor } from '../support/visitor.ts';
import { acmePage } from '../support/organisationPages.ts';

const swapCase = (text: string) =>
  text.replace(/[a-z]/gi, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()));

interface Listing {
  data: Key[];
  total: number;
  page: number;
  limit: number;
}

onEachDatabase('the list of keys', (database) => {
  const { server, ...cast } = useServer(database);
  /** By the status each is in, told by its name. */
  let keys: Record<'active' | 'rotating' | 'expired' | 'revoked' | 'replaced' | 'successor', Key>;

  before(async () => {
    const alice = as(cast.alice);
    const active = await issue(server, alice, { name: 'beta', scopes: ['read', 'orders:write'], externalId: 'cus_1' });
    const rotating = await issue(server, alice, { name: 'Alpha', environment: 'test' });
    const expired = await issue(server, alice, { name: 'gamma 100%', expiresInDays: 1 });
    const revoked = await issue(server, alice, { name: 'delta_x', scopes: ['orders:write'] });
    const replaced = await issue(server, alice, { name: 'epsilon' });
    const inGrace = await rotate(server, alice, rotating.id, { gracePeriodSeconds: 600 });
    const successor = await rotate(server, alice, replaced.id);
    await server.delete(`/api/api-keys/${revoked.id}`, alice);
    await server.services
      .db('api_keys')
      .where({ id: expired.id })
      .update({ expires_at: Date.now() - 1 });
    await server.services.db('api_keys').where({ id: inGrace.id }).update({ name: 'zeta' });
    await issue(server, as(cast.charlie), { name: 'beta of somebody else' });
    keys = { active, rotating, expired, revoked, replaced, successor };
  });

  it('leaves revoked keys out, those that were rotated away included, and keeps expired ones', async () => {
    const { data, total } = await list();
    expect(statuses(data)).to.deep.equal({
      beta: ['active'],
      Alpha: ['rotating'],
      zeta: ['active'],
      'gamma 100%': ['expired'],
      epsilon: ['active'],
    });
    expect(total).to.equal(5);
  });

  it('has all keys where includeRevoked asks for revoked ones too', async () => {
    const { data, total } = await list('includeRevoked=true');
    expect(total).to.equal(7);
    expect(statuses(data)).to.deep.include({ delta_x: ['revoked'], epsilon: ['active', 'revoked'] });
    expect(data.find(({ id }) => id === keys.replaced.id)?.revokedAt).to.equal(keys.successor.createdAt);
    expect((await list('includeRevoked=false')).total).to.equal(5);
  });

  it('shows each status alone, as the key itself tells it', async () => {
    const expected = { active: 3, rotating: 1, expired: 1, revoked: 2 };
    for (const [status, count] of Object.entries(expected)) {
      const { data, total } = await list(`status=${status}`);
      expect(total, status).to.equal(count);
      expect(new Set(data.map((key) => key.status))).to.deep.equal(new Set([status]));
    }
  });

  it('shows the newest first, and sorts as it is asked to', async () => {
    const names = async (sort: string) => (await list(`sort=${sort}`)).data.map(({ name }) => name);
    const byTime = (await list()).data.map(({ createdAt }) => createdAt);
    expect(byTime).to.deep.equal([...byTime].sort().reverse());
    expect(await names('name')).to.deep.equal(['Alpha', 'beta', 'epsilon', 'gamma 100%', 'zeta']);
    expect(await names('-name')).to.deep.equal(['zeta', 'gamma 100%', 'epsilon', 'beta', 'Alpha']);
    // One is in its grace period, the other has expired, and the rest never end.
    expect((await names('-expiresAt')).slice(0, 2)).to.deep.equal(['Alpha', 'gamma 100%']);
    await server.get('/api/v1/whoami', { 'x-api-key': keys.active.key });
    expect((await names('-lastUsedAt'))[0]).to.equal('beta');
    expect((await names('createdAt'))[0]).to.equal('beta');
  });

  it('is paged so that all pages together are the whole list', async () => {
    const seen: string[] = [];
    for (const page of [1, 2, 3]) {
      const listing = await list(`sort=createdAt&limit=2&page=${page}`);
      expect(listing).to.deep.include({ total: 5, page, limit: 2 });
      seen.push(...listing.data.map(({ id }) => id));
    }
    const all = await list('sort=createdAt');
    expect(seen).to.deep.equal(all.data.map(({ id }) => id));
    expect(all).to.deep.include({ page: 1, limit: 20 });
    expect((await list('page=1000000')).data).to.deep.equal([]);
  });

  it('finds keys by the very scope they were granted, however it is spelt', async () => {
    expect(named(await list('scope=orders:write'))).to.deep.equal(['beta']);
    expect(named(await list('scope=write:orders&includeRevoked=true'))).to.deep.equal(['beta', 'delta_x']);
    expect(named(await list('scope=orders:read'))).to.deep.equal([]);
    expect(named(await list('scope=read&environment=test'))).to.deep.equal(['Alpha', 'zeta']);
  });

  it('finds keys by part of their name or external id, by the beginning of their text, and by id', async () => {
    const { active } = keys;
    for (const q of ['BET', 'us_1', active.keyPrefix, active.keyPrefix.slice(0, -2), active.id]) {
      expect(named(await list(`q=${q}`)), q).to.deep.equal(['beta']);
    }
    expect(named(await list('q='))).to.have.length(5);
    expect(named(await list('q=nothing like it'.replaceAll(' ', '%20')))).to.deep.equal([]);
    expect(named(await list(`q=${encodeURIComponent('é😀')}`))).to.deep.equal([]);
  });

  it('finds keys by their mask, by their last four characters and by their whole text, and by no other case', async () => {
    const { active } = keys;
    const { key, keyPrefix, lastFour } = active;
    for (const q of [`${keyPrefix}…${lastFour}`, `${keyPrefix}...${lastFour}`, lastFour, key, `Bearer ${key}`]) {
      expect(named(await list(`q=${encodeURIComponent(q)}`)), q).to.deep.equal(['beta']);
    }
    const others = [`${keyPrefix}…____`, swapCase(keyPrefix), `${keyPrefix}…${swapCase(lastFour)}a`];
    for (const q of others) expect(named(await list(`q=${encodeURIComponent(q)}`)), q).to.deep.equal([]);
  });

  it('never hands the text of a whole key that is searched for to the database or a page', async () => {
    const { key, keyPrefix, lastFour } = keys.active;
    const bound: unknown[] = [];
    const listen = ({ bindings }: { bindings?: unknown[] }) => void bound.push(...(bindings ?? []));
    server.services.db.on('query', listen);
    try {
      await list(`q=${key}`);
      const visitor = new Visitor(server);
      await visitor.signIn(cast.alice.email, PASSWORD);
      const led = await visitor.get(acmePage(`/api-keys?sort=name&q=${key}`));
      expect(led.status).to.equal(303);
      const location = String(led.headers['location']);
      expect(new URL(location, server.url).searchParams.get('q')).to.equal(`${keyPrefix}…${lastFour}`);
      expect(led.text + location).not.to.include(key);
      expect((await visitor.get(location)).text).to.include('>beta<');
    } finally {
      server.services.db.off('query', listen);
    }
    expect(JSON.stringify(bound)).to.include(lastFour).and.not.include(key.slice(-12));
  });

  it('takes wildcards and quotes in a search for what they are', async () => {
    expect(named(await list('q=100%25'))).to.deep.equal(['gamma 100%']);
    expect(named(await list('q=%25'))).to.deep.equal(['gamma 100%']);
    expect(named(await list('q=a_x&includeRevoked=true'))).to.deep.equal(['delta_x']);
    for (const q of ['_____', '!', '\\', "'", '"', '%5C%25']) {
      expect(named(await list(`q=${encodeURIComponent(q)}`)), q).to.deep.equal([]);
    }
  });

  it('refuses an unknown filter or value, and names the parameter', async () => {
    const bad = {
      limit: ['abc', '0', '101', '-1', '1.5', '', '1e1'],
      page: ['0', '1000001', 'x'],
      includeRevoked: ['1', 'yes', ''],
      status: ['dead', ''],
      environment: ['LIVE'],
      sort: ['id', 'keyHash', '--name', '-', 'createdAt,name'],
      scope: ['Projects:read', 'a b', ''],
      q: ['x'.repeat(101), 'a\0b'],
      tenantId: ['x'],
    };
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) {
        const answer = await server.get(`/api/api-keys?${name}=${encodeURIComponent(value)}`, as(cast.alice));
        expect(refusal(answer, 400, 'invalid_query'), `${name}=${value}`).to.deep.equal([name]);
      }
    }
    refusal(await server.get('/api/api-keys?page=1&page=2', as(cast.alice)), 400, 'invalid_query');
  });

  it('shows no key of another tenant', async () => {
    const { body } = await server.get('/api/api-keys?includeRevoked=true', as(cast.charlie));
    expect((body as Listing).data.map(({ name }) => name)).to.deep.equal(['beta of somebody else']);
  });

  it('has no key for an id of another tenant, of nobody, or that is none', async () => {
    const ids = [
      keys.active.id,
      newId(),
      'abc',
      keys.active.id.toUpperCase(),
      '%00',
      `${keys.active.id}%20`,
      '__proto__',
    ];
    for (const id of ids) {
      for (const path of ['', '/usage', '/usage/stats']) {
        refusal(await server.get(`/api/api-keys/${id}${path}`, as(cast.charlie)), 404, 'not_found');
      }
      refusal(await server.patch(`/api/api-keys/${id}`, { name: 'x' }, as(cast.charlie)), 404, 'not_found');
      refusal(await server.post(`/api/api-keys/${id}/rotate`, {}, as(cast.charlie)), 404, 'not_found');
      refusal(await server.delete(`/api/api-keys/${id}`, as(cast.charlie)), 404, 'not_found');
    }
  });

  async function list(query = ''): Promise<Listing> {
    const { status, body, text } = await server.get(`/api/api-keys?${query}`, as(cast.alice));
    expect(status, text).to.equal(200);
    return body as Listing;
  }

  function named({ data, total }: Listing): string[] {
    expect(total).to.equal(data.length);
    return data.map(({ name }) => name).sort();
  }

  function statuses(data: Key[]): Record<string, string[]> {
    const found: Record<string, string[]> = {};
    for (const { name, status } of data) found[name] = [...(found[name] ?? []), status].sort();
    return found;
  }
});
