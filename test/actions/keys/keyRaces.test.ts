import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { systemContext } from '../../../app/actions/actionContext.ts';
import { revokeKey } from '../../../app/actions/keys/revokeKey.ts';
import { as, PASSWORD } from '../../support/cast.ts';
import { onEachDatabase, untilSomebodyWaits } from '../../support/databases.ts';
import type { Answer } from '../../support/http.ts';
import { auditOf, issue, read, tried, type Key } from '../../support/keys.ts';
import type { TestServer } from '../../support/server.ts';
import { useServer, useServerWithoutCast } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

const AT_ONCE = 20;

onEachDatabase('many changes of one key at once, in three processes', (database) => {
  const { server, ...cast } = useServer(database);
  /** Two more processes, as far as the database can tell. */
  const others = [useServerWithoutCast(database), useServerWithoutCast(database)];
  let key: Key;
  const alice = () => as(cast.alice);

  beforeEach(async () => {
    key = await issue(server, alice());
  });

  for (const gracePeriodSeconds of [0, 600]) {
    it(`of ${AT_ONCE} rotations one succeeds and the others hear it was, with an overlap of ${gracePeriodSeconds} s`, async () => {
      const answers = await atOnce(AT_ONCE, async (to) => rotate(to, { gracePeriodSeconds }));
      expect(tally(answers)).to.deep.equal({ '200': 1, '409 already_rotated': AT_ONCE - 1 });
      const successors = (await server.services.db('api_keys').where({ previous_key_id: key.id })) as { id: string }[];
      expect(successors.map(({ id }) => id)).to.deep.equal([(await read(server, alice(), key.id)).successorKeyId]);
      expect(await actionsOn(key.id)).to.deep.equal({ API_KEY_CREATED: 1, API_KEY_ROTATED: 1 });
      const scopes = await server.services.db('api_key_scopes').where({ key_id: successors[0]?.id });
      expect(scopes).to.have.length(1);
    });
  }

  it(`${AT_ONCE} revocations all give the same answer and leave one trace`, async () => {
    const answers = await atOnce(AT_ONCE, async (to, i) => (i % 2 ? revoke(to) : to.delete(path(), alice())));
    expect(tally(answers)).to.deep.equal({ '200': AT_ONCE });
    expect(new Set(answers.map(({ text }) => text)).size).to.equal(1);
    expect(await actionsOn(key.id)).to.deep.equal({ API_KEY_CREATED: 1, API_KEY_REVOKED: 1 });
  });

  it('a rotation and a revocation leave no key that works, whichever came first', async () => {
    for (let round = 0; round < 5; round++) {
      key = await issue(server, alice());
      const isRevocation = (i: number) => (i + round) % 2 === 1;
      const answers = await atOnce(AT_ONCE, async (to, i) => (isRevocation(i) ? revoke(to) : rotate(to, {})));
      const rotations = answers.filter((_, i) => !isRevocation(i));
      const revocations = answers.filter((_, i) => isRevocation(i));
      expect(tally(revocations)).to.deep.equal({ '200': AT_ONCE / 2 });
      const fresh = rotations.find(({ status }) => status === 200)?.body as Key | undefined;
      const refused = fresh
        ? { '200': 1, '409 already_rotated': AT_ONCE / 2 - 1 }
        : { '409 key_not_active': AT_ONCE / 2 };
      expect(tally(rotations)).to.deep.equal(refused);
      const revoked = (revocations[0]?.body as { id: string }).id;
      expect(revoked).to.equal(fresh?.id ?? key.id);
      expect(await tried(server, key.key)).to.equal('401 key_revoked');
      if (fresh) expect(await tried(server, fresh.key)).to.equal('401 key_revoked');
      const written = { ...(await actionsOn(key.id)), ...(fresh && (await actionsOn(fresh.id))) };
      expect(written).to.deep.equal({ API_KEY_CREATED: 1, ...(fresh && { API_KEY_ROTATED: 1 }), API_KEY_REVOKED: 1 });
    }
  });

  it('a revocation asked for before a rotation and carried out after it ends the new key', async () => {
    const { db } = server.services;
    const earlier = systemContext(db, cast.acme.id, Date.now());
    const fresh = (await rotate(server, {})).body as Key;
    await db('api_keys')
      .where({ id: key.id })
      .update({ grace_ends_at: earlier.now + 50, updated_at: earlier.now + 50 });
    expect((await revokeKey(earlier, key.id, {})).id).to.equal(fresh.id);
    expect(await tried(server, fresh.key)).to.equal('401 key_revoked');
  });

  it('a revocation asked for on a page that shows a replaced key never ends its successor', async () => {
    const { db } = server.services;
    const visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
    for (const many of [false, true]) {
      key = await issue(server, alice());
      const fresh = (await rotate(server, { gracePeriodSeconds: 600 })).body as Key;
      const csrf = await visitor.csrf();
      const ending = await db.transaction();
      const now = Date.now();
      await ending('api_keys')
        .where({ id: key.id })
        .update({ grace_ends_at: now - 1, updated_at: now });
      const form = `${acmePage('/api-keys')}/${many ? '' : `${key.id}/`}revoke`;
      const answered = visitor.post(form, { _csrf: csrf, ...(many && { id: key.id }) });
      // SQLite has nobody to ask who waits.
      await (database.kind === 'mysql' ? untilSomebodyWaits(db) : delay(500));
      await ending.commit();
      // Back to the list, which shows that the key has ended.
      expect((await answered).status).to.equal(303);
      expect(await tried(server, fresh.key)).to.equal('200');
    }
  });

  it('a change after a revocation is refused, and what was changed before is in the log', async () => {
    const answers = await atOnce(AT_ONCE, async (to, i) =>
      i === 7
        ? revoke(to)
        : to.patch(path(), { name: `name ${i}`, scopes: i % 2 ? ['read'] : ['orders:read'] }, alice()),
    );
    const { '200': changed = 0, '409 key_not_active': refused = 0, ...others } = tally(answers);
    expect(others).to.deep.equal({});
    expect(changed + refused).to.equal(AT_ONCE);
    const { status, name } = await read(server, alice(), key.id);
    expect(status).to.equal('revoked');
    const { API_KEY_UPDATED: updates = 0, API_KEY_REVOKED: revocations } = await actionsOn(key.id);
    expect([updates, revocations]).to.deep.equal([changed - 1, 1]);
    const last = (await auditOf(server, alice(), key.id)).filter(({ action }) => action === 'API_KEY_UPDATED');
    // Each change says what it found: together they are a chain from the first name to the last.
    const found = new Map(last.map(({ before, after }) => [before?.['name'], after?.['name']]));
    let reached: unknown = 'a key';
    for (let i = 0; i < last.length; i++) reached = found.get(reached);
    expect(reached).to.equal(last.length > 0 ? name : 'a key');
  });

  it('two changes of scopes leave the scopes of one of them, in the list as in the key', async () => {
    const wishes = [['orders:read', 'orders:write'], ['projects:read']];
    const answers = await atOnce(AT_ONCE, async (to, i) => to.patch(path(), { scopes: wishes[i % 2] }, alice()));
    expect(tally(answers)).to.deep.equal({ '200': AT_ONCE });
    const { scopes } = await read(server, alice(), key.id);
    expect(wishes).to.deep.include(scopes);
    const rows = (await server.services.db('api_key_scopes').where({ key_id: key.id })) as { scope: string }[];
    expect(rows.map(({ scope }) => scope)).to.have.members(scopes);
  });

  async function atOnce(count: number, ask: (to: TestServer, i: number) => Promise<Answer>): Promise<Answer[]> {
    const servers = [server, ...others];
    return Promise.all(Array.from({ length: count }, async (_, i) => ask(servers[i % 3] ?? server, i)));
  }

  function tally(answers: Answer[]): Record<string, number> {
    const counted: Record<string, number> = {};
    for (const { status, body } of answers) {
      const outcome = status === 200 ? '200' : `${status} ${(body as { code: string }).code}`;
      counted[outcome] = (counted[outcome] ?? 0) + 1;
    }
    return counted;
  }

  async function actionsOn(id: string): Promise<Record<string, number>> {
    const counted: Record<string, number> = {};
    for (const { action } of await auditOf(server, alice(), id)) counted[action] = (counted[action] ?? 0) + 1;
    return counted;
  }

  function path(): string {
    return `/api/api-keys/${key.id}`;
  }

  async function revoke(to: TestServer): Promise<Answer> {
    return to.post(`${path()}/revoke`, {}, alice());
  }

  async function rotate(to: TestServer, wish: object): Promise<Answer> {
    return to.post(`${path()}/rotate`, wish, alice());
  }
});
