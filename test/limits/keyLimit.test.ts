import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { newId } from '../../app/domain/id.ts';
import { mintKey } from '../../app/domain/token.ts';
import { issueToken } from '../../app/auth/tokens.ts';
import { BUSY_MACHINE_MS } from '../support/busyMachine.ts';
import { addPlayer, as, bearer, PASSWORD } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer, Headers } from '../support/http.ts';
import { issue, refusal, rotate, type Key } from '../support/keys.ts';
import { rateOf, statuses, tooMany } from '../support/limits.ts';
import type { TestServer } from '../support/server.ts';
import { useServer } from '../support/useServer.ts';

const WHOAMI = '/api/v1/whoami';

onEachDatabase('the limit of a key', (database) => {
  const { server, acme, alice, bob, charlie } = useServer(database, { KEY_LIMIT: '4/60' });

  const newKey = async (wish: object = {}) => issue(server, as(alice), wish);
  const use = async ({ key }: Pick<Key, 'key'>) => server.get(WHOAMI, { 'x-api-key': key });
  const change = async ({ id }: Key, wish: object) => {
    expect((await server.patch(`/api/api-keys/${id}`, wish, as(alice))).status).to.equal(200);
  };

  it('is in the headers of every answer, in the draft standard and in the older form', async () => {
    const key = await newKey();
    const answer = await use(key);
    expect(answer.headers).to.include({
      'ratelimit-policy': '"key";q=4;w=60',
      ratelimit: '"key";r=3;t=60',
      'x-ratelimit-limit': '4',
      'x-ratelimit-remaining': '3',
    });
    expect(answer.headers).not.to.have.property('retry-after');
    expect(rateOf(answer).reset).to.be.closeTo(Date.parse(String(answer.headers.date)) / 1000 + 60, 3);
    expect(rateOf(await use(key)).remaining).to.equal(2);
  });

  it('refuses with 429 when it is spent, with Retry-After', async () => {
    const key = await newKey();
    expect(await statuses(4, async () => use(key))).to.deep.equal([200, 200, 200, 200]);
    const refused = await use(key);
    expect(tooMany(refused)).to.be.within(55, 60);
    expect(rateOf(refused)).to.include({ policy: '"key";q=4;w=60', remaining: 0 });
    expect(refused.headers['cache-control']).to.equal('no-store');
  });

  it('is counted apart for each key and tenant', async () => {
    const spent = await newKey();
    await statuses(5, async () => use(spent));
    expect((await use(await newKey())).status).to.equal(200);
    expect((await use(await issue(server, as(charlie)))).status).to.equal(200);
  });

  it('lets as many of many at once pass as it says', async () => {
    const key = await newKey({ rateLimit: { limit: 10, windowSeconds: 60 } });
    const answers = await Promise.all(Array.from({ length: 30 }, async () => use(key)));
    const passed = answers.filter(({ status }) => status === 200).map((answer) => rateOf(answer).remaining);
    expect(passed.sort((a, b) => b - a)).to.deep.equal([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  it('is counted together for all keys that rotations left in their grace, and costs no other key a query', async () => {
    const first = await newKey();
    const grace = { gracePeriodSeconds: 3600 };
    const next = await rotate(server, as(alice), first.id, grace);
    const last = await rotate(server, as(alice), next.id, grace);
    const asked: string[] = [];
    const note = ({ sql }: { sql: string }) => asked.push(sql);
    server.services.db.on('query', note);
    for (const [key, queries] of [
      [first, 1],
      [next, 1],
      [last, 0],
    ] as const) {
      asked.length = 0;
      expect((await use(key)).status).to.equal(200);
      expect(asked.filter((sql) => sql.includes('successor_key_id'))).to.have.length(queries);
    }
    server.services.db.off('query', note);
    expect((await use(first)).status).to.equal(200);
    for (const { key } of [first, next, last]) {
      tooMany(await use({ key }));
      const verdict = await server.post('/api/v1/keys/verify', { key, dryRun: true }, as(alice));
      expect(verdict.body).to.include({ code: 'rate_limited' });
    }
  });

  it('is counted over both mounts and all ways to send the key together', async () => {
    const { key } = await newKey();
    const ways: [string, Headers][] = [
      [WHOAMI, { 'x-api-key': key }],
      [WHOAMI, { Authorization: `ApiKey ${key}` }],
      [WHOAMI, { Authorization: `Bearer ${key}` }],
      ['/api/whoami', { 'x-api-key': key, 'x-tenant-id': acme.slug }],
    ];
    for (const [path, headers] of ways) expect((await server.get(path, headers)).status).to.equal(200);
    tooMany(await server.get(WHOAMI, { 'x-api-key': key }));
  });

  it('is the key’s own, else the tenant’s, else the configured one', async () => {
    const own = await newKey({ rateLimit: { limit: 7, windowSeconds: 30 } });
    const plain = await newKey();
    const { db } = server.services;
    const ofTenant = async (policy: string | null) => db('tenants').where({ id: acme.id }).update({ policy });
    await ofTenant(JSON.stringify({ defaultRateLimit: { limit: 9, windowSeconds: 20 } }));
    expect(rateOf(await use(own)).policy).to.equal('"key";q=7;w=30');
    expect(rateOf(await use(plain)).policy).to.equal('"key";q=9;w=20');
    await ofTenant(null);
    expect(rateOf(await use(plain)).policy).to.equal('"key";q=4;w=60');
  });

  it('holds as soon as it is raised, and as soon as it is lowered', async () => {
    const key = await newKey({ rateLimit: { limit: 1, windowSeconds: 3600 } });
    expect(await statuses(2, async () => use(key))).to.deep.equal([200, 429]);
    await change(key, { rateLimit: { limit: 20, windowSeconds: 3600 } });
    expect(await statuses(3, async () => use(key))).to.deep.equal([200, 200, 200]);
    await change(key, { rateLimit: { limit: 2, windowSeconds: 3600 } });
    expect(await statuses(3, async () => use(key))).to.deep.equal([200, 200, 429]);
  });

  it('opens again when its window ends, as Retry-After said', async () => {
    const key = await newKey({ rateLimit: { limit: 1, windowSeconds: 1 } });
    const started = performance.now();
    expect((await use(key)).status).to.equal(200);
    expect(tooMany(await use(key))).to.equal(1);
    let answer: Answer;
    do {
      await delay(20);
      answer = await use(key);
    } while (answer.status === 429);
    expect(answer.status).to.equal(200);
    expect(performance.now() - started).to.be.within(990, 4_000 + BUSY_MACHINE_MS);
  });

  it('counts what the key may not do, so that nobody asks without end', async () => {
    const key = await newKey({ scopes: ['projects:read'] });
    const ask = async () =>
      server.post('/api/api-keys', { name: 'x' }, { 'x-api-key': key.key, 'x-tenant-id': 'acme' });
    expect(await statuses(5, ask)).to.deep.equal([403, 403, 403, 403, 429]);
    tooMany(await use(key));
  });

  it('does not count requests of people', async () => {
    const asked = await Promise.all(Array.from({ length: 8 }, async () => server.get(WHOAMI, bearer(bob))));
    expect(asked.map(({ status }) => status)).to.deep.equal(Array(8).fill(200));
    for (const answer of asked) expect(rateOf(answer).policy).to.match(/^"person";/);
  });
});

onEachDatabase('the limit of an address', (database) => {
  const { server, alice, bob } = useServer(database, { ADDRESS_LIMIT: '3/60', TRUSTED_HOPS: '1' });
  let good: Key;
  let last = 0;
  before(async () => {
    good = await issue(server, { ...as(alice), ...from(anyAddress()) });
  });

  const anyAddress = () => `198.51.100.${++last}`;
  const from = (address: string): Headers => ({ 'X-Forwarded-For': address });
  const ask = async (address: string, headers: Headers = {}) => server.get(WHOAMI, { ...from(address), ...headers });
  const spend = async (address: string) => {
    expect(await statuses(4, async () => ask(address))).to.deep.equal([401, 401, 401, 429]);
  };

  it('counts requests without a credential, and tells so', async () => {
    const address = anyAddress();
    const first = await ask(address);
    refusal(first, 401, 'missing_credential');
    expect(first.headers).to.include({ 'ratelimit-policy': '"address";q=3;w=60', ratelimit: '"address";r=2;t=60' });
    await statuses(2, async () => ask(address));
    expect(tooMany(await ask(address))).to.be.within(55, 60);
    expect((await ask(anyAddress())).status).to.equal(401);
  });

  it('is not spent by valid tokens, and never refuses one for what others do at its address', async () => {
    const address = anyAddress();
    const asPerson = async () => ask(address, bearer(bob));
    expect(await statuses(6, asPerson)).to.deep.equal(Array(6).fill(200));
    expect(rateOf(await ask(address)).remaining).to.equal(2);
    const other = anyAddress();
    await statuses(5, async () => ask(other, { 'x-api-key': 'fsk_live_guess' }));
    const fresh = {
      token: issueToken(server.services.config.jwt, server.services.secret, { userId: bob.id }, Date.now()),
    };
    for (const token of [bob, fresh]) {
      const answer = await ask(other, bearer(token));
      expect(answer.status).to.equal(200);
      expect(rateOf(answer).policy).to.match(/^"person";/);
    }
  });

  it('counts signed tokens of nobody like forged ones', async () => {
    const address = anyAddress();
    const { config, secret } = server.services;
    const nobody = issueToken(config.jwt, secret, { userId: newId() }, Date.now());
    expect(await statuses(5, async () => ask(address, bearer({ token: nobody })))).to.deep.equal([
      401, 401, 401, 429, 429,
    ]);
  });

  it('costs one question a second at most for all keys nobody knows, and lets in those that are valid', async () => {
    const address = anyAddress();
    const unused = await issue(server, { ...as(alice), ...from(anyAddress()) });
    await ask(anyAddress(), { 'x-api-key': good.key });
    await spend(address);
    const turns = countTurns(server);
    const started = performance.now();
    const unknown = async () => ask(address, { 'x-api-key': mintKey({ prefix: 'fsk', format: 'base62' }, 'live').key });
    for (let wave = 0; wave < 3; wave++) {
      const wrong = await Promise.all(Array.from({ length: 20 }, unknown));
      expect(wrong.map(({ status }) => status)).to.deep.equal(Array(20).fill(429));
    }
    const seconds = Math.floor((performance.now() - started) / 1000);
    expect(turns.asked)
      .to.be.at.least(1)
      .and.at.most(1 + seconds);
    expect((await ask(address, { 'x-api-key': unused.key })).status, 'a key that was never used').to.equal(200);
    const times: number[] = [];
    for (let n = 0; n < 4; n++) {
      const before = performance.now();
      expect((await ask(address, { 'x-api-key': good.key })).status, 'a key that was used before').to.equal(200);
      times.push(performance.now() - before);
    }
    // All but the first would wait a second for their turn.
    expect(Math.min(...times.slice(1)), 'without a wait').to.be.below(500);
    turns.stop();
  });

  it('takes a /48 of IPv6 for ten callers, as whoever has one has 65,536 networks', async () => {
    const from64 = async (n: number) => ask(`2001:db8:48:${n}::1`);
    for (let n = 1; n <= 10; n++) expect(await statuses(4, async () => from64(n))).to.deep.equal([401, 401, 401, 429]);
    tooMany(await from64(11));
    expect((await ask('2001:db8:49:1::1')).status).to.equal(401);
  });

  for (const [what, key] of [
    ['texts that are no key', () => 'fsk_live_guess'],
    ['unknown keys', () => mintKey({ prefix: 'fsk', format: 'base62' }, 'live').key],
    ['forged tokens', undefined],
  ] as const) {
    it(`counts ${what}, with 429 in place of 401`, async () => {
      const address = anyAddress();
      const headers: Headers = key ? { 'x-api-key': key() } : { Authorization: 'Bearer a.b.c' };
      expect(await statuses(4, async () => ask(address, headers))).to.deep.equal([401, 401, 401, 429]);
      tooMany(await ask(address, headers));
    });
  }

  it('counts revoked keys', async () => {
    const { id, key } = await issue(server, { ...as(alice), ...from(anyAddress()) });
    await server.post(`/api/api-keys/${id}/revoke`, {}, { ...as(alice), ...from(anyAddress()) });
    const address = anyAddress();
    expect(await statuses(4, async () => ask(address, { 'x-api-key': key }))).to.deep.equal([401, 401, 401, 429]);
  });

  it('never refuses a valid key for what others do at its address', async () => {
    const address = anyAddress();
    await spend(address);
    const answer = await ask(address, { 'x-api-key': good.key });
    expect(answer.status).to.equal(200);
    expect(rateOf(answer).policy).to.match(/^"key";/);
    const wrong = await server.get('/api/v1/audit-logs?limit=abc', { ...from(address), 'x-api-key': good.key });
    refusal(wrong, 400, 'invalid_query');
  });

  it('is not spent by valid keys', async () => {
    const address = anyAddress();
    const used = await statuses(6, async () => ask(address, { 'x-api-key': good.key }));
    expect(used).to.deep.equal(Array(6).fill(200));
    expect(rateOf(await ask(address)).remaining).to.equal(2);
  });

  it('takes a network of IPv6 for one caller, as whoever has one has all of it', async () => {
    const asked = [1, 2, 3, 4].map(async (n) => ask(`2001:db8:0:1::${n}`));
    expect((await Promise.all(asked)).map(({ status }) => status).sort()).to.deep.equal([401, 401, 401, 429]);
    expect((await ask('2001:db8:0:2::1')).status).to.equal(401);
  });

  it('holds for logins too', async () => {
    const address = anyAddress();
    const login = async () => server.post('/api/auth/login', { email: bob.email, password: PASSWORD }, from(address));
    expect(await statuses(4, login)).to.deep.equal([200, 200, 200, 429]);
  });

  it('never holds for health checks', async () => {
    const address = anyAddress();
    await spend(address);
    for (const path of ['/api/health', '/api/health/live']) {
      const answer = await server.get(path, from(address));
      expect(answer.status).to.equal(200);
      expect(answer.headers).not.to.have.property('ratelimit');
    }
  });
});

/** Counts the turns in which the database is asked about keys: what is asked in one turn is one query. */
function countTurns({ services }: TestServer): { asked: number; stop: () => void } {
  const { lookup } = services;
  const { key } = lookup;
  let begun = false;
  const counted = { asked: 0, stop: () => Object.assign(lookup, { key }) };
  lookup.key = async (hash) => {
    if (!begun) {
      counted.asked++;
      begun = true;
      setImmediate(() => (begun = false));
    }
    return key(hash);
  };
  return counted;
}

onEachDatabase('the limit of a person', (database) => {
  const { server, acme, alice, bob, carol, charlie } = useServer(database, {
    PERSON_LIMIT: '4/60',
    ADDRESS_LIMIT: '3/60',
  });

  it('is told with every answer, refuses with 429, and holds for each person alone', async () => {
    const first = await server.get(WHOAMI, bearer(bob));
    expect(first.headers).to.include({ 'ratelimit-policy': '"person";q=4;w=60', ratelimit: '"person";r=3;t=60' });
    expect(await statuses(3, async () => server.get(WHOAMI, bearer(bob)))).to.deep.equal([200, 200, 200]);
    const refused = await server.get(WHOAMI, bearer(bob));
    expect(tooMany(refused)).to.be.within(55, 60);
    expect(rateOf(refused)).to.include({ policy: '"person";q=4;w=60', remaining: 0 });
    for (const person of [alice, carol, charlie]) {
      expect((await server.get(WHOAMI, bearer(person))).status).to.equal(200);
    }
  });

  it('counts what the person may not do and requests that name no tenant, not their address', async () => {
    const dora = await addPlayer(server.services, acme, 'Dora', { role: 'MEMBER' });
    const wish = async (headers: Headers) => server.post('/api/api-keys', { name: 'x' }, headers);
    expect(await statuses(2, async () => wish(as(dora)))).to.deep.equal([403, 403]);
    expect(await statuses(3, async () => wish(bearer(dora)))).to.deep.equal([400, 400, 429]);
    expect(rateOf(await server.get(WHOAMI)).remaining).to.equal(2);
  });
});

onEachDatabase('limits that are off', (database) => {
  const { server, alice } = useServer(database, { KEY_LIMIT: 'off', PERSON_LIMIT: 'off', ADDRESS_LIMIT: 'off' });

  it('are neither counted nor told', async () => {
    const { key } = await issue(server, as(alice));
    const answers = [
      await server.get(WHOAMI, { 'x-api-key': key }),
      await server.get(WHOAMI, bearer(alice)),
      await server.get(WHOAMI),
    ];
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 401]);
    for (const { headers } of answers) expect(headers).not.to.have.any.keys('ratelimit', 'x-ratelimit-limit');
  });

  it('still hold for a key with a limit of its own', async () => {
    const { key } = await issue(server, as(alice), { rateLimit: { limit: 1, windowSeconds: 60 } });
    const use = async () => server.get(WHOAMI, { 'x-api-key': key });
    expect(await statuses(2, use)).to.deep.equal([200, 429]);
  });
});
