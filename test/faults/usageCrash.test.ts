import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { as } from '../support/cast.ts';
import { endChildren, startMain } from '../support/child.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Client } from '../support/http.ts';
import { useServer } from '../support/useServer.ts';

/** The long form kills fifty times, the short one often enough to hit a flush and a moment between two. */
const KILLS = process.env.TEST_LONG ? 50 : 2;
const THREADS = process.env.TEST_LONG ? 100 : 4;
const CLIENTS = 8;
/** Every thread but the main one meets a fault of its own, wherever it has come by then. */
const FAILING_THREADS =
  "--import=data:text/javascript,import{isMainThread}from'node:worker_threads';" +
  'isMainThread||setTimeout(()=>{throw(new(Error))},200+Math.random()*1500)';

onEachDatabase('uses of a key, when its server is killed under load', (database) => {
  const { server, alice } = useServer(database);
  let key: { id: string; key: string };

  before(async () => {
    key = (await server.post('/api/api-keys', { name: 'under load' }, as(alice))).body as typeof key;
  });
  after(endChildren);

  it('are all counted if they were answered, and none is counted twice', async function () {
    this.timeout(300_000);
    const seen = { sent: 0, answered: 0 };
    for (let kill = 0; kill < KILLS; kill++) {
      const child = await startMain(env());
      await untilReady(child.client);
      const hammers = Array.from({ length: CLIENTS }, async () => hammer(child.client, key.key, seen));
      await delay(20 + Math.random() * 900);
      child.kill('SIGKILL');
      await child.ended;
      await Promise.all(hammers);
    }
    const last = await startMain(env());
    await untilReady(last.client);
    await until(() => journals(env().DATA_DIR) <= 1);
    await stopped(last);

    const raw = await count('api_key_usage', 'count(*)');
    expect(raw, 'counted, and answered').to.be.at.least(seen.answered);
    expect(raw, 'counted, and sent').to.be.at.most(seen.sent);
    expect(await count('api_key_usage_hours', 'sum(ok + denied)')).to.equal(raw);
    expect(seen.answered).to.be.greaterThan(KILLS * CLIENTS);
  });

  it('are counted once each when only the thread that writes them fails, again and again, and log that', async function () {
    this.timeout(300_000);
    const before = await count('api_key_usage', 'count(*)');
    const seen = { sent: 0, answered: 0 };
    const child = await startMain({ ...env(), NODE_OPTIONS: FAILING_THREADS });
    await untilReady(child.client);
    const enough = new AbortController();
    const hammers = Array.from({ length: CLIENTS }, async () => hammer(child.client, key.key, seen, enough.signal));
    await until(() => child.stdout.split('the thread that writes uses of keys ended').length > THREADS, 120_000);
    enough.abort();
    await Promise.all(hammers);
    await stopped(child);
    const last = await startMain(env());
    await untilReady(last.client);
    await until(() => journals(env().DATA_DIR) <= 1);
    await stopped(last);

    expect(seen.answered).to.equal(seen.sent);
    expect((await count('api_key_usage', 'count(*)')) - before).to.equal(seen.sent);
    expect(await count('api_key_usage_hours', 'sum(ok + denied)')).to.equal(before + seen.sent);
  });

  async function stopped(child: Awaited<ReturnType<typeof startMain>>): Promise<void> {
    // It would wait for this client to notice that it stops.
    child.client.close();
    child.kill('SIGTERM');
    expect(await child.ended).to.deep.equal({ code: 0, signal: null });
  }

  function env() {
    return { ...database.env(), KEY_LIMIT: 'off', ADDRESS_LIMIT: 'off', LOG_LEVEL: 'warn' };
  }

  async function count(table: string, what: string): Promise<number> {
    const { db } = server.services;
    const row = await db(table)
      .where({ key_id: key.id })
      .first<{ n: unknown }>(db.raw(`${what} as n`));
    return Number(row.n);
  }
});

async function hammer(
  client: Client,
  key: string,
  seen: { sent: number; answered: number },
  enough?: AbortSignal,
): Promise<void> {
  while (!enough?.aborted) {
    seen.sent++;
    try {
      const { status } = await client.get('/api/v1/whoami', { 'x-api-key': key });
      if (status === 200) seen.answered++;
    } catch {
      return;
    }
  }
}

/** Folders of journals that somebody still has to count, the one of the process that looks among them. */
function journals(dataDir: string): number {
  return readdirSync(path.join(dataDir, 'usage')).length;
}

async function untilReady(client: Client): Promise<void> {
  await until(async () => (await client.get('/api/health').catch(() => ({ status: 0 }))).status === 200);
}

async function until(isSo: () => boolean | Promise<boolean>, patienceMs = 30_000): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('it did not come about in time');
    await delay(25);
  }
}
