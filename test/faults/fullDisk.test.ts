import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { as, castOf, PASSWORD, type Cast } from '../support/cast.ts';
import { endChildren, startMain } from '../support/child.ts';
import { onDatabase } from '../support/databases.ts';
import { limitFiles, waysToFillADisk, type FillableDisk } from '../support/fullDisk.ts';
import type { Client } from '../support/http.ts';
import { issue, refusal, type Key } from '../support/keys.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const STAFF = { ADMIN_USER: 'staff', ADMIN_PASSWORD: 'a long enough password' };
const LIMITS = { KEY_LIMIT: 'off', ADDRESS_LIMIT: 'off', LOGIN_LIMIT: 'off' };

for (const [way, openDisk] of Object.entries(waysToFillADisk())) {
  describe(`a server with SQLite ${way}`, function () {
    this.timeout(60_000);
    let disk: FillableDisk;
    let cast: Cast;
    let key: Key;
    let revocable: Key;
    const env = () => ({ DATA_DIR: disk.folder, ...STAFF, ...LIMITS, LOG_LEVEL: 'warn' });

    beforeEach(async () => {
      disk = openDisk();
      const server = await startServer(env());
      cast = await castOf(server);
      key = await issue(server, as(cast.alice));
      revocable = await issue(server, as(cast.alice));
      await server.stop();
    });
    afterEach(async () => {
      await endChildren();
      disk.remove();
    });

    it('keeps every acknowledged use, answers changes by 503, says so in its health, and counts all once there is room', async () => {
      const child = await startMain(env());
      await untilHealth(child.client, 200);
      const visitor = new Visitor(child.client);
      await useKey(child.client, key, 30);
      disk.fill(child.pid);
      await useKey(child.client, key, 30);

      const revoke = async () => child.client.post(`/api/api-keys/${revocable.id}/revoke`, {}, as(cast.alice));
      const refused = await revoke();
      refusal(refused, 503, 'temporarily_unavailable');
      expect(refused.headers['retry-after']).to.match(/^[1-9]\d*$/);
      const page = await visitor.signIn(cast.alice.email, PASSWORD);
      expect([page.status, page.headers['retry-after']]).to.deep.equal([503, '1']);
      expect(page.headers['content-type']).to.match(/^text\/html/);
      await untilHealth(child.client, 503, {
        status: 'unavailable',
        database: 'unwritable',
        migrations: 'current',
        journal: 'unwritable',
      });
      await child.says('uses of keys could not be counted yet');
      await child.says('the journal of uses cannot be written');

      disk.empty(child.pid);
      await untilHealth(child.client, 200);
      await until(async () => (await metric(child.client, 'written')) === 60);
      expect(await metric(child.client, 'lost')).to.equal(0);
      expect(await metric(child.client, 'refused')).to.equal(0);
      expect(await metric(child.client, 'backlog')).to.equal(0);
      expect((await revoke()).status).to.equal(200);
      child.client.close();
      child.kill('SIGTERM');
      await child.ended;
      expect(await countedUses(env(), key)).to.deep.equal([60, 60]);
    });

    it('that is started waits for room and says so, and then serves', async () => {
      const child = await startMain(env());
      disk.fill(child.pid);
      await child.says('the disk of DATA_DIR');
      await child.says('trying again each second');
      await untilHealth(child.client, 503);
      disk.empty(child.pid);
      await untilHealth(child.client, 200);
      expect(child.stderr).to.equal('');
    });

    it('loses no use that was in the journal when it is killed without room for it', async () => {
      const child = await startMain(env());
      await untilHealth(child.client, 200);
      await useKey(child.client, key, 30);
      disk.fill(child.pid);
      await untilHealth(child.client, 503);
      child.kill('SIGKILL');
      await child.ended;
      disk.empty();

      const next = await startMain(env());
      await untilHealth(next.client, 200);
      next.client.close();
      next.kill('SIGTERM');
      await next.ended;
      expect(await countedUses(env(), key)).to.deep.equal([30, 30]);
    });
  });
}

onDatabase('mysql', 'a journal whose files may only be short', (database) => {
  /** A line has some 250 bytes, so that each file ends in the middle of one. */
  const SHORT = 3_000;
  let cast: Cast;
  let key: Key;
  before(async () => {
    const server = await startServer(database.env());
    cast = await castOf(server);
    key = await issue(server, as(cast.alice));
    await server.stop();
  });
  afterEach(endChildren);

  it('holds whole lines only, so that every use is counted once', async function () {
    this.timeout(60_000);
    const child = await startMain({ ...database.env(), ...STAFF, ...LIMITS, LOG_LEVEL: 'warn' });
    await untilHealth(child.client, 200);
    for (let i = 0; i < 3; i++) {
      limitFiles(child.pid, SHORT);
      await useKey(child.client, key, 50);
      // What comes now goes on in the file that was cut off.
      limitFiles(child.pid, 'unlimited');
      await useKey(child.client, key, 10);
    }
    await child.says('the journal of uses cannot be written');
    await until(async () => (await metric(child.client, 'written')) === 180);
    expect(await metric(child.client, 'recorded')).to.equal(180);
    expect(await metric(child.client, 'lost')).to.equal(0);
    await untilHealth(child.client, 200);
    child.client.close();
    child.kill('SIGTERM');
    await child.ended;
    expect(await countedUses(database.env(), key)).to.deep.equal([180, 180]);
  });

  it('that is killed then leaves whole lines to the next process', async function () {
    this.timeout(60_000);
    const before = await countedUses(database.env(), key);
    const child = await startMain({ ...database.env(), ...STAFF, ...LIMITS, LOG_LEVEL: 'warn' });
    await untilHealth(child.client, 200);
    limitFiles(child.pid, SHORT);
    await useKey(child.client, key, 50);
    child.kill('SIGKILL');
    await child.ended;
    const next = await startMain({ ...database.env(), ...STAFF, ...LIMITS });
    await next.says('"msg":"ready"');
    next.client.close();
    next.kill('SIGTERM');
    await next.ended;
    const [uses, sums] = await countedUses(database.env(), key);
    expect(uses - before[0]).to.be.within(Math.floor(SHORT / 400), 50);
    expect(sums).to.equal(uses);
    expect(next.stdout).not.to.include('could not be noted');
  });
});

/** Makes so many requests with the key at once, and expects each to be answered. */
async function useKey(client: Client, { key }: Key, times: number): Promise<void> {
  const asked = Array.from({ length: times }, async () => client.get('/api/v1/whoami', { 'x-api-key': key }));
  for (const { status } of await Promise.all(asked)) expect(status).to.equal(200);
}

async function metric(client: Client, name: string): Promise<number> {
  const password = Buffer.from(`${STAFF.ADMIN_USER}:${STAFF.ADMIN_PASSWORD}`).toString('base64');
  const { text } = await client.get('/metrics', { Authorization: `Basic ${password}` });
  const value = new RegExp(`^latchkey_usage_${name}(?:_total)? (\\d+)$`, 'm').exec(text)?.[1];
  return Number(value ?? NaN);
}

/** How many uses of the key are in the database, and what they are added up to. */
async function countedUses(env: { DATA_DIR: string; DATABASE_URL?: string }, { id }: Key): Promise<[number, number]> {
  const server = await startServer(env);
  const { db } = server.services;
  const uses = await db('api_key_usage').where({ key_id: id }).count({ n: '*' }).first<{ n: unknown }>();
  const sums = await db('api_key_usage_hours').where({ key_id: id }).sum({ n: 'ok' }).first<{ n: unknown }>();
  await server.stop();
  return [Number(uses.n), Number(sums.n)];
}

/** Asks for health until it has this status and, where one is given, this body. */
async function untilHealth(client: Client, status: number, body?: object): Promise<void> {
  await until(async () => {
    const answer = await client.get('/api/health').catch(() => undefined);
    return answer?.status === status && (!body || isDeepStrictEqual(answer.body, body));
  });
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('it did not come about in 20 s');
    await delay(25);
  }
}
