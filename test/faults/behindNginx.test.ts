import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import { as, castOf, type Cast } from '../support/cast.ts';
import { endChildren, freePort, startMain } from '../support/child.ts';
import { onDatabase } from '../support/databases.ts';
import { Client } from '../support/http.ts';
import { startNginx } from '../support/nginx.ts';
import { startServer } from '../support/server.ts';

const CLIENTS = 16;
/** Of each client between two rounds of requests: some six hundred requests a second, which leave the tests beside them room. */
const PAUSE_MS = 50;

onDatabase('mysql', 'two processes behind nginx', function (database) {
  let cast: Cast;
  before(async () => {
    const server = await startServer(database.env());
    cast = await castOf(server);
    await server.stop();
  });
  afterEach(endChildren);

  async function started(port: number) {
    const limits = { KEY_LIMIT: 'off', ADDRESS_LIMIT: 'off', PERSON_LIMIT: 'off', DATABASE_CONNECTIONS: '20' };
    const child = await startMain({ ...database.env(), ...limits, PORT: String(port), LOG_LEVEL: 'info' });
    await child.says('"msg":"ready"');
    return child;
  }

  it('are replaced in turn without a failed request, and each record that was sent is kept once', async function () {
    this.timeout(90_000);
    const ports = [await freePort(), await freePort()];
    const processes = await Promise.all(ports.map(started));
    const nginx = await startNginx(ports);
    const problems: string[] = [];
    let reads = 0;
    let writes = 0;
    let going = true;

    /** Reads and writes in turn on one connection to nginx. */
    async function ask(): Promise<void> {
      const client = new Client(`http://127.0.0.1:${nginx.port}`);
      while (going) {
        const made = await client.post('/api/projects', { name: 'made while processes are replaced' }, as(cast.alice));
        const read = await client.get('/api/v1/whoami', as(cast.alice));
        if (made.status !== 201) problems.push(`POST ${made.status}: ${made.text}`);
        if (read.status !== 200) problems.push(`GET ${read.status}: ${read.text}`);
        writes++;
        reads++;
        await delay(PAUSE_MS);
      }
      client.close();
    }
    const clients = Array.from({ length: CLIENTS }, ask);
    for (const [i, old] of processes.entries()) {
      // Both have work before one of them is told to stop.
      for (const enough = writes + 200; writes < enough;) await delay(10);
      old.kill('SIGTERM');
      expect(await old.ended).to.deep.equal({ code: 0, signal: null });
      await started(ports[i] ?? 0);
    }
    going = false;
    await Promise.all(clients);
    expect(problems).to.deep.equal([]);
    expect(reads).to.equal(writes);

    const server = await startServer(database.env());
    const [row] = await server.services.db('records').count<{ kept: number }[]>('* as kept');
    await server.stop();
    expect(row?.kept).to.equal(writes);
  });
});
