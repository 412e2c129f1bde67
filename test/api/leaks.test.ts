import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { githubKeysIn, isSignedBy } from '../../app/domain/githubKeySet.ts';
import { as, PASSWORD } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer } from '../support/http.ts';
import { auditOf, issue, read, refusal, rotate, tried } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';
import { Visitor } from '../support/visitor.ts';
import { acmePage } from '../support/organisationPages.ts';

const REPORT = '/api/v1/keys/report-leak';
const GITHUB = '/api/v1/secret-scanning/github';
const DAY = 86_400_000;

/** The example of GitHub's documentation of its partner program: a body, its signature, and the key that signed it. */
const EXAMPLE = {
  body: '[{"token":"some_token","type":"some_type","url":"some_url","source":"some_source"}]',
  identifier: 'f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d',
  signature: 'MEUCIFLZzeK++IhS+y276SRk2Pe5LfDrfvTXu6iwKKcFGCrvAiEAhHN2kDOhy2I6eGkOFmxNkOJ+L2y8oQ9A2T9GGJo6WJY=',
  key: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsz9ugWDj5jK5ELBK42ynytbo38gP
HzZFI03Exwz8Lh/tCfL3YxwMdLjB+bMznsanlhK0RwcGP3IDb34kQDIo3Q==
-----END PUBLIC KEY-----`,
};

const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' });
const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const later = generateKeyPairSync('ec', { namedCurve: 'P-256' });

onEachDatabase('a leaked key', (database) => {
  /** What GitHub would publish, over real HTTP. */
  let published: object[] = [
    { key_identifier: EXAMPLE.identifier, key: EXAMPLE.key, is_current: false },
    { key_identifier: 'own', key: pem(own.publicKey), is_current: true },
    { key_identifier: 'rsa', key: pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey) },
  ];
  let asked = 0;
  let github: Server;
  const environment: Record<string, string> = {};
  before(async () => {
    github = createServer((_, response) => {
      asked++;
      response.end(JSON.stringify({ public_keys: published }));
    }).listen(0, '127.0.0.1');
    await once(github, 'listening');
    environment['GITHUB_SECRET_SCANNING_KEYS'] = `http://127.0.0.1:${(github.address() as AddressInfo).port}/keys`;
  });
  const { server, ...cast } = useServer(database, environment);
  after(() => github.close());
  const alice = () => as(cast.alice);
  const policy = async (leakAction: string) => server.post('/api/security-center/settings', { leakAction }, alice());

  describe('reported by whoever holds it', () => {
    it('is revoked where the policy says so, also one in the grace of a rotation, and the report is audited', async () => {
      await policy('revoke');
      const key = await issue(server, alice());
      const old = await issue(server, alice());
      const fresh = await rotate(server, alice(), old.id, { gracePeriodSeconds: 600 });
      const url = `https://paste.example.com/${key.key}`;
      const answer = await report([key.key, ` ${old.key}\n`, 'no key at all'], url);
      expect([answer.status, answer.body]).to.deep.equal([202, { message: 'Report received' }]);
      expect(await triedAll(key.key, old.key, fresh.key)).to.deep.equal(['401 key_revoked', '401 key_revoked', '200']);
      const rows = (await auditOf(server, alice(), key.id)).slice(1);
      expect(rows.map(({ action, actorType }) => [action, actorType])).to.deep.equal([
        ['API_KEY_LEAK_REPORTED', 'anonymous'],
        ['API_KEY_REVOKED', 'anonymous'],
      ]);
      expect(rows[0]?.after).to.include({ source: 'report', leakAction: 'revoke' });
      const shown = `https://paste.example.com/${key.keyPrefix}…${key.lastFour}`;
      expect(rows[0]?.after).to.include({ url: shown });
      const stored = JSON.stringify(await server.services.db('api_key_leak_reports'));
      expect(stored).to.include(shown).and.not.include(key.key);
      expect(server.log.join('')).not.to.include(key.key);
    });

    it('ends within a day where the policy says so, and never later than before', async () => {
      await policy('expire');
      const endless = await issue(server, alice());
      const soon = await issue(server, alice(), { expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
      await report([endless.key, soon.key]);
      const [first, second] = [await read(server, alice(), endless.id), await read(server, alice(), soon.id)];
      expect(Date.parse(first.expiresAt ?? '') - Date.now()).to.be.within(DAY - 60_000, DAY);
      expect(second.expiresAt).to.equal(soon.expiresAt);
      await report([endless.key]);
      expect(await read(server, alice(), endless.id)).to.deep.include({ expiresAt: first.expiresAt });
      expect((await auditOf(server, alice(), endless.id)).length).to.equal(2);
    });

    it('goes on working where the policy only wants to be told, whose pages then show it', async () => {
      await policy('notify');
      const key = await issue(server, alice());
      await report([key.key], 'https://paste.example.com/1');
      await report([key.key], 'https://paste.example.com/1');
      await report([key.key], 'https://paste.example.com/2');
      expect(await tried(server, key.key)).to.equal('200');
      const rows = (await auditOf(server, alice(), key.id)).slice(1);
      expect(rows.map(({ after }) => after?.url)).to.deep.equal([
        'https://paste.example.com/1',
        'https://paste.example.com/2',
      ]);
      const visitor = new Visitor(server);
      await visitor.signIn(cast.alice.email, PASSWORD);
      expect((await visitor.get(acmePage('/api-keys'))).text).to.match(
        /attention=leaked"[^>]*><b>\d<\/b>\s+reported leaked/,
      );
      expect((await visitor.get(acmePage('/api-keys?attention=leaked'))).text).to.include(`key-${key.id}`);
      const page = (await visitor.get(acmePage(`/api-keys/${key.id}`))).text;
      expect(page)
        .to.include('it still works')
        .and.include('<code class="leak-url">https://paste.example.com/2</code>');
    });

    it('is answered the same, and after the same time, whatever the keys are', async () => {
      await policy('revoke');
      const key = await issue(server, alice());
      const gone = await issue(server, alice());
      await server.post(`/api/api-keys/${gone.id}/revoke`, {}, alice());
      const unknown = `${key.key.slice(0, -1)}x`;
      for (const keys of [[key.key], [gone.key], [unknown], [''], Array<string>(100).fill('x')]) {
        const begun = performance.now();
        const { status, text } = await report(keys);
        expect([status, text]).to.deep.equal([202, '{"message":"Report received"}']);
        expect(performance.now() - begun).to.be.at.least(249);
      }
    });

    it('is taken with a hundred at a time at most, and with an address of the web or none', async () => {
      for (const body of [{}, { keys: [] }, { keys: Array(101).fill('x') }, { keys: ['x'], url: 'javascript:1' }]) {
        refusal(await server.post(REPORT, body), 422, 'invalid_input');
      }
    });
  });

  describe('found by GitHub’s secret scanning', () => {
    it('verifies the example of GitHub’s documentation, and not with one character changed', async () => {
      const { body, identifier, signature } = EXAMPLE;
      const answer = await deliver(body, identifier, signature);
      expect([answer.status, answer.body]).to.deep.equal([
        200,
        [{ token_hash: sha256('some_token'), token_type: 'some_type', label: 'false_positive' }],
      ]);
      refusal(await deliver(body.replace('some_url', 'some_uri'), identifier, signature), 403, 'invalid_signature');
    });

    it('is acted on and labelled, with where it was found', async () => {
      await policy('revoke');
      const key = await issue(server, alice());
      const gone = await issue(server, alice());
      await server.post(`/api/api-keys/${gone.id}/revoke`, {}, alice());
      const url = 'https://github.com/octocat/Hello-World/blob/1234/foo.txt';
      const answer = await signed([
        { token: key.key, type: 'latchkey', url, source: 'commit', new_field: 1 },
        { token: gone.key, type: 'latchkey', url: '', source: 'content' },
        { token: 'fsk_live_nothing', type: 'latchkey', url },
      ]);
      expect(answer.status, answer.text).to.equal(200);
      expect((answer.body as { label: string }[]).map(({ label }) => label)).to.deep.equal([
        'true_positive',
        'true_positive',
        'false_positive',
      ]);
      expect(answer.text).to.include(sha256(key.key)).and.not.include(key.key);
      expect(await tried(server, key.key)).to.equal('401 key_revoked');
      const reports = await server.services.db('api_key_leak_reports').where({ key_id: key.id });
      expect(reports).to.have.length(1);
      expect(reports[0]).to.include({ source: 'github', url, found_in: 'commit' });
    });

    it('changes nothing unless GitHub signed these very bytes', async () => {
      const key = await issue(server, alice());
      const body = JSON.stringify([{ token: key.key, type: 't', url: '' }]);
      const good = signatureOf(body, own.privateKey);
      const wrong: Answer[] = [
        await deliver(body, 'own', ''),
        await deliver(body, '', good),
        await deliver(body, 'own', 'bm90IGEgc2lnbmF0dXJl'),
        await deliver(body, EXAMPLE.identifier, good),
        await deliver(body, 'own', signatureOf(`${body} `, own.privateKey)),
        await deliver(`${body} `, 'own', good),
        await deliver(body, 'own', signatureOf(body, later.privateKey)),
        await deliver(body, 'rsa', good),
        await server.post(GITHUB, [{ token: key.key, type: 't' }]),
      ];
      for (const answer of wrong) refusal(answer, 403, 'invalid_signature');
      expect(await tried(server, key.key)).to.equal('200');
      refusal(await deliver('{}', 'own', signatureOf('{}', own.privateKey)), 422, 'invalid_input');
      refusal(await deliver('[', 'own', signatureOf('[', own.privateKey)), 400, 'invalid_json');
    });

    it('acts on the same signed body once, whenever it comes again', async () => {
      await policy('expire');
      const key = await issue(server, alice());
      const matches = [{ token: key.key, type: 't', url: 'https://github.com/x' }];
      const first = await signed(matches);
      await server.patch(`/api/api-keys/${key.id}`, { expiresAt: null }, alice());
      const again = await signed(matches);
      expect(again.text).to.equal(first.text);
      expect(await read(server, alice(), key.id)).to.include({ expiresAt: null });
    });

    it('asks GitHub for a key that is unknown no more than once a minute', async () => {
      const count = asked;
      published = [...published, { key_identifier: 'later', key: pem(later.publicKey) }];
      const body = JSON.stringify([{ token: 'x', type: 't' }]);
      refusal(await deliver(body, 'later', signatureOf(body, later.privateKey)), 403, 'invalid_signature');
      expect(asked).to.equal(count);
    });
  });

  async function report(keys: string[], url?: string): Promise<Answer> {
    const answer = await server.post(REPORT, { keys, ...(url !== undefined && { url }) });
    await server.services.leaks.settled();
    return answer;
  }

  async function triedAll(...keys: string[]): Promise<string[]> {
    return Promise.all(keys.map(async (key) => tried(server, key)));
  }

  async function signed(matches: object[]): Promise<Answer> {
    const body = JSON.stringify(matches);
    const answer = await deliver(body, 'own', signatureOf(body, own.privateKey));
    await server.services.leaks.settled();
    return answer;
  }

  async function deliver(body: string, identifier: string, signature: string): Promise<Answer> {
    return server.send('POST', GITHUB, {
      body,
      headers: {
        'Content-Type': 'application/json',
        'Github-Public-Key-Identifier': identifier,
        'Github-Public-Key-Signature': signature,
      },
    });
  }
});

onEachDatabase('secret scanning without configured keys', (database) => {
  const { server } = useServer(database);

  it('is not there', async () => {
    refusal(await server.post(GITHUB, []), 404, 'not_found');
  });
});

describe('GitHub’s key set', () => {
  it('is read for its keys on P-256 and refused without one', () => {
    const { identifier, key, body, signature } = EXAMPLE;
    const keys = githubKeysIn(JSON.stringify({ public_keys: [null, { key_identifier: identifier, key }] }));
    const found = keys.get(identifier);
    expect(found && isSignedBy(found, Buffer.from(body), signature)).to.equal(true);
    for (const text of ['null', '{}', '{"public_keys":[{"key_identifier":"a","key":"b"}]}']) {
      expect(() => githubKeysIn(text), text).to.throw('no key on P-256');
    }
  });
});

function signatureOf(body: string, key: KeyObject): string {
  return sign('sha256', Buffer.from(body), key).toString('base64');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
