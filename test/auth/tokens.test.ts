import { createHmac, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import type { JwtConfig } from '../../app/config.ts';
import { newId } from '../../app/domain/id.ts';
import { AppError } from '../../app/errors.ts';
import { subjectOf, verificationKey, type VerificationKey } from '../../app/auth/jwks.ts';
import { issueToken } from '../../app/auth/tokens.ts';
import { BUSY_MACHINE_MS } from '../support/busyMachine.ts';
import { Provider, published } from '../support/identityProvider.ts';

const SECRET = 'a secret of tests, long enough to sign with';
const SETTINGS: JwtConfig = {
  secret: SECRET,
  issuer: 'latchkey',
  audience: 'latchkey',
  ttlSeconds: 3600,
  jwksUrl: undefined,
};
const USER = newId();

/** What the middleware does with the door: the key by header and claims, then jsonwebtoken with everything pinned. */
async function verify(token: string, door: VerificationKey, jwksUrl?: string): Promise<unknown> {
  const decoded = jwt.decode(token, { complete: true });
  if (!decoded) throw new jwt.JsonWebTokenError('not a token');
  const key = await door(decoded.header, decoded.payload);
  const algorithms: jwt.Algorithm[] = jwksUrl === undefined ? ['HS256'] : ['HS256', 'RS256', 'ES256'];
  return jwt.verify(token, key, { algorithms, issuer: SETTINGS.issuer, audience: SETTINGS.audience });
}

async function fault(attempt: Promise<unknown>): Promise<Error> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error('the token was accepted');
  return error;
}

async function expectRefused(attempt: Promise<unknown>): Promise<void> {
  expect(await fault(attempt)).to.be.instanceOf(jwt.JsonWebTokenError);
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const good = (more: object = {}) => ({ sub: USER, iss: 'latchkey', aud: 'latchkey', exp: inSeconds(600), ...more });

/** A token by hand, signed with HMAC whatever its header says. */
function byHand(header: object, payload: unknown, secret: string | Buffer = SECRET): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

describe('a token of our own', () => {
  it('carries issuer, audience, end, subject and an id of its own, and verifies', async () => {
    const now = Date.now();
    const [first, second] = [1, 2].map(() => issueToken(SETTINGS, SECRET, { userId: USER }, now));
    const claims = (await verify(first ?? '', verificationKey(SETTINGS, SECRET))) as jwt.JwtPayload;
    expect(claims).to.include({ sub: USER, iss: 'latchkey', aud: 'latchkey', exp: Math.floor(now / 1000) + 3600 });
    expect(claims).to.have.all.keys('sub', 'iss', 'aud', 'iat', 'exp', 'jti');
    expect(jwt.decode(second ?? '')).not.to.have.property('jti', claims.jti);
  });

  it('tells tenant, role and permissions where there are any', () => {
    const tenantId = newId();
    const permissions = new Set(['audit:read'] as const);
    const now = Date.now();
    const token = issueToken(SETTINGS, SECRET, { userId: USER, tenantId, role: 'ADMIN', permissions }, now);
    expect(jwt.decode(token)).to.deep.include({ tenantId, role: 'ADMIN', permissions: ['audit:read'] });
    expect(subjectOf(jwt.decode(token))).to.deep.equal({
      by: 'id',
      subject: USER,
      tenantId,
      issuedAt: Math.floor(now / 1000),
    });
  });
});

describe('the subject of a token', () => {
  const idp = { sub: 'auth0|123', email: 'Ann@Example.com', email_verified: true };
  const cases: [what: string, claims: unknown, subject: unknown][] = [
    ['our own token', { sub: USER }, { by: 'id', subject: USER }],
    ['a verified email', idp, { by: 'email', subject: 'ann@example.com' }],
    ['a verified email beside an id of ours', { ...idp, sub: USER }, { by: 'email', subject: 'ann@example.com' }],
    ['an unverified email', { ...idp, email_verified: false }, undefined],
    ['an email verified by a text', { ...idp, email_verified: 'true' }, undefined],
    ['an email nobody speaks for', { sub: 'x', email: 'ann@example.com' }, undefined],
    ['a verified text that is no email', { ...idp, email: 'ann' }, undefined],
    ['a foreign id', { sub: 'auth0|123' }, undefined],
    ['no subject', {}, undefined],
    ['a list for a subject', { sub: [USER] }, undefined],
    ['a tenant that is no text', { sub: USER, tenantId: ['*'] }, undefined],
    ['a list', [{ sub: USER }], undefined],
    ['a text', USER, undefined],
    ['nothing', null, undefined],
  ];
  for (const [what, claims, subject] of cases) {
    it(`${what}: ${subject ? 'is somebody' : 'is nobody'}`, () => expect(subjectOf(claims)).to.deep.equal(subject));
  }
});

const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 });

/** What no configuration may accept. */
function refusesAttacks(door: () => VerificationKey, url: () => string | undefined): void {
  const attacks: Record<string, () => string> = {
    'alg none without a signature': () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(good())}.`,
    'alg none with a signature': () => byHand({ alg: 'none' }, good()),
    'alg nOnE': () => `${encode({ alg: 'nOnE' })}.${encode(good())}.`,
    'no alg at all': () => byHand({ typ: 'JWT' }, good()),
    'an alg that is a list': () => byHand({ alg: ['HS256'] }, good()),
    'HS256 with a foreign secret': () => byHand({ alg: 'HS256' }, good(), 'x'.repeat(40)),
    'HS256 with an empty secret': () => byHand({ alg: 'HS256' }, good(), ''),
    'HS384 and HS512 with our secret': () => jwt.sign(good(), SECRET, { algorithm: 'HS512' }),
    'RS256 by a key nobody published': () => jwt.sign(good(), pair().privateKey, { algorithm: 'RS256', keyid: 'mine' }),
    'a key of its own in the header': () => {
      const { privateKey, publicKey } = pair();
      const header = { alg: 'RS256', jwk: publicKey.export({ format: 'jwk' }), kid: 'mine' };
      return jwt.sign(good(), privateKey, { algorithm: 'RS256', header });
    },
    'a header that says RS256 over HMAC with our secret': () => byHand({ alg: 'RS256', kid: 'one' }, good()),
    'a path for a kid': () => byHand({ alg: 'HS256', kid: '../../../../dev/null' }, good(), ''),
    'SQL for a kid': () => byHand({ alg: 'HS256', kid: "x' union select 'k' --" }, good(), 'k'),
    'a prototype for a kid': () => byHand({ alg: 'RS256', kid: '__proto__' }, good()),
    'an extension it must understand': () => byHand({ alg: 'HS256', crit: ['b64'], b64: false }, good()),
    'no end': () => byHand({ alg: 'HS256' }, { ...good(), exp: undefined }),
    'an end that is a text': () => byHand({ alg: 'HS256' }, good({ exp: '9999999999' })),
    'an end that has come': () => byHand({ alg: 'HS256' }, good({ exp: inSeconds(0) })),
    'a beginning yet to come': () => byHand({ alg: 'HS256' }, good({ nbf: inSeconds(60) })),
    'another issuer': () => byHand({ alg: 'HS256' }, good({ iss: 'latchkey.evil' })),
    'no issuer': () => byHand({ alg: 'HS256' }, good({ iss: undefined })),
    'another audience': () => byHand({ alg: 'HS256' }, good({ aud: ['other', 'latch'] })),
    'no audience': () => byHand({ alg: 'HS256' }, good({ aud: undefined })),
    'a list for claims': () => byHand({ alg: 'HS256', typ: 'JWT' }, [good()]),
    'a text for claims': () => byHand({ alg: 'HS256', typ: 'JWT' }, 'claims'),
    'null for claims': () => byHand({ alg: 'HS256', typ: 'JWT' }, null),
    'claims changed after signing': () => {
      const [header, , signature] = byHand({ alg: 'HS256' }, good()).split('.');
      return `${header ?? ''}.${encode(good({ sub: newId() }))}.${signature ?? ''}`;
    },
    'its signature cut off': () => byHand({ alg: 'HS256' }, good()).replace(/[^.]+$/, ''),
  };
  for (const [attack, token] of Object.entries(attacks)) {
    it(`a token with ${attack} is refused`, async () => expectRefused(verify(token(), door(), url())));
  }
}

describe('without an identity provider', () => {
  const door = verificationKey(SETTINGS, SECRET);

  it('a token signed with our secret is accepted', async () => {
    expect(await verify(byHand({ alg: 'HS256' }, good()), door)).to.include({ sub: USER });
  });

  refusesAttacks(
    () => door,
    () => undefined,
  );

  it('the key is a secret key and nothing else, so no public key can be mistaken for it', async () => {
    expect(await door({ alg: 'HS256' }, good())).to.have.property('type', 'secret');
    for (const alg of ['none', 'HS384', 'RS256', 'hs256', '', undefined, ['HS256']]) {
      await expectRefused(door({ alg, kid: 'one' }, good()));
    }
  });
});

describe('with the key set of an identity provider', () => {
  const rsa = pair();
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let provider: Provider;
  let door: VerificationKey;
  const realNow = Date.now.bind(Date);
  let now: number;

  beforeEach(async () => {
    now = realNow();
    Date.now = () => now;
    provider = await Provider.start([published(rsa.publicKey, 'one', { alg: 'RS256', use: 'sig' })]);
    door = verificationKey({ ...SETTINGS, jwksUrl: provider.url }, SECRET);
  });
  afterEach(async () => {
    Date.now = realNow;
    await provider.stop();
  });

  const signed = (kid: string, key: KeyObject = rsa.privateKey, algorithm: 'RS256' | 'ES256' = 'RS256') =>
    jwt.sign(good({ jti: randomUUID() }), key, { algorithm, keyid: kid });
  const accept = async (token: string) => verify(token, door, provider.url);

  async function expectAccepted(token: string): Promise<void> {
    expect(await accept(token)).to.include({ sub: USER });
  }

  async function expectUnavailable(token: string): Promise<void> {
    const error = await fault(accept(token));
    expect(error).to.be.instanceOf(AppError).that.includes({ code: 'temporarily_unavailable', status: 503 });
  }

  refusesAttacks(
    () => door,
    () => provider.url,
  );

  it('tokens signed with a published key are accepted, RS256 and ES256, beside our own', async () => {
    provider.keys.push(published(ec.publicKey, 'curve'));
    await expectAccepted(signed('one'));
    await expectAccepted(signed('curve', ec.privateKey, 'ES256'));
    await expectAccepted(byHand({ alg: 'HS256' }, good()));
  });

  it('our own tokens do not need the provider at all', async () => {
    provider.answer = (response) => response.destroy();
    await expectAccepted(byHand({ alg: 'HS256' }, good()));
    expect(provider.asked).to.equal(0);
  });

  it('a public key cannot be turned into a secret, in any of its spellings', async () => {
    const spellings = [
      rsa.publicKey.export({ type: 'spki', format: 'pem' }),
      rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }),
      rsa.publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(rsa.publicKey.export({ format: 'jwk' })),
    ];
    for (const spelling of spellings) {
      for (const alg of ['HS256', 'RS256']) await expectRefused(accept(byHand({ alg, kid: 'one' }, good(), spelling)));
    }
  });

  it('a key counts only for the algorithm and use it was published for', async () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    provider.keys = [
      published(rsa.publicKey, 'enc', { use: 'enc' }),
      published(rsa.publicKey, 'wrap', { key_ops: ['wrapKey'] }),
      published(rsa.publicKey, 'ps', { alg: 'PS256' }),
      published(rsa.publicKey, 'es', { alg: 'ES256' }),
      published(other.publicKey, 'p384', { alg: 'ES256' }),
      published(small.publicKey, 'small'),
      { kty: 'oct', kid: 'oct', k: Buffer.from('known to everybody').toString('base64url'), alg: 'HS256' },
      { ...published(rsa.publicKey, 'broken'), n: 7 },
      published(ec.publicKey, 'curve'),
      published(rsa.publicKey, 'verify', { key_ops: ['verify'] }),
    ];
    for (const kid of ['enc', 'wrap', 'ps', 'es', 'p384', 'oct', 'broken', 'curve', '']) {
      await expectRefused(accept(signed(kid)));
    }
    await expectRefused(accept(signed('verify', ec.privateKey, 'ES256')));
    // Asked of the door itself, for jsonwebtoken would refuse these two as well.
    for (const [alg, kid] of [
      ['RS256', 'small'],
      ['ES256', 'p384'],
    ])
      await expectRefused(door({ alg, kid }, good()));
    await expectAccepted(signed('verify'));
    await expectAccepted(signed('curve', ec.privateKey, 'ES256'));
  });

  it('a token without a kid is refused, and costs no fetch', async () => {
    await expectRefused(accept(jwt.sign(good(), rsa.privateKey, { algorithm: 'RS256' })));
    await expectRefused(accept(byHand({ alg: 'RS256', kid: ['one'] }, good())));
    expect(provider.asked).to.equal(0);
  });

  it('the key set is fetched once for however many tokens, and again after ten minutes', async () => {
    await Promise.all(Array.from({ length: 20 }, async () => expectAccepted(signed('one'))));
    now += 599_999;
    await expectAccepted(signed('one'));
    expect(provider.asked).to.equal(1);
    now += 1;
    await expectAccepted(signed('one'));
    expect(provider.asked).to.equal(2);
  });

  it('a key that was taken out of the set is refused after ten minutes at the latest', async () => {
    await expectAccepted(signed('one'));
    provider.keys = [];
    now += 600_000;
    await expectRefused(accept(signed('one')));
  });

  it('the set is fetched again at once for a key that is new, and for unknown ones once in five seconds', async () => {
    await expectAccepted(signed('one'));
    const next = pair();
    for (const kid of ['two', 'three']) {
      provider.keys = [published(next.publicKey, kid)];
      now += 5_000;
      await expectAccepted(signed(kid, next.privateKey));
    }
    expect(provider.asked).to.equal(3);
    await Promise.all(Array.from({ length: 10 }, async (_, n) => expectRefused(accept(signed(`made-up-${n}`)))));
    now += 4_999;
    await expectRefused(accept(signed('made-up')));
    expect(provider.asked).to.equal(3);
    now += 1;
    await expectRefused(accept(signed('made-up')));
    expect(provider.asked).to.equal(4);
  });

  it('with the provider away an outside token is 503, not 401; the keys already known go on working', async () => {
    await expectAccepted(signed('one'));
    provider.answer = (response) => response.destroy();
    now += 5_000;
    await expectAccepted(signed('one'));
    await expectUnavailable(signed('two'));
    now += 600_000;
    await expectUnavailable(signed('one'));
  });

  it('a provider in trouble is asked once a second, and believed as soon as it answers', async () => {
    provider.answer = (response) => response.writeHead(500).end();
    for (let n = 0; n < 5; n++) await expectUnavailable(signed('one'));
    expect(provider.asked).to.equal(1);
    provider.answer = undefined;
    now += 1_000;
    await expectAccepted(signed('one'));
    expect(provider.asked).to.equal(2);
  });

  it('a provider that does not answer within two seconds is 503', async () => {
    provider.answer = () => undefined;
    const started = performance.now();
    await expectUnavailable(signed('one'));
    expect(performance.now() - started).to.be.within(1_900, 4_000 + BUSY_MACHINE_MS);
  });

  it('a provider that stops in the middle of its answer is 503', async () => {
    provider.answer = (response) => response.write('{"keys":[');
    await expectUnavailable(signed('one'));
  });

  it('an error answer of the provider is no key set, whatever its body', async () => {
    provider.answer = (response) => response.writeHead(404).end(JSON.stringify({ keys: provider.keys }));
    await expectUnavailable(signed('one'));
  });

  const nonsense: [what: string, answer: string][] = [
    ['a page', '<html></html>'],
    ['no list of keys', '{"keys":{}}'],
    ['null', 'null'],
  ];
  for (const [what, text] of nonsense) {
    it(`a provider that answers with ${what} is 503`, async () => {
      provider.answer = (response) => response.end(text);
      await expectUnavailable(signed('one'));
    });
  }

  it('a redirect of the provider is not followed, and is 503', async () => {
    const elsewhere = await Provider.start(provider.keys);
    provider.answer = (response) => response.writeHead(302, { Location: elsewhere.url }).end();
    await expectUnavailable(signed('one'));
    expect(elsewhere.asked).to.equal(0);
    await elsewhere.stop();
  });

  it('keys that are no keys at all do not spoil the others', async () => {
    provider.keys.unshift(null, 7, 'key', {}, { kty: 'RSA' });
    await expectAccepted(signed('one'));
  });
});
