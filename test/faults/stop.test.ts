import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request, type RequestOptions } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { ROOT } from '../../app/root.ts';
import { BUSY_MACHINE_MS } from '../support/busyMachine.ts';
import { Child, endChildren, freePort, startMain } from '../support/child.ts';

const ALIVE = '/api/health/live';
/** A request that has begun and wants two more bytes. */
const UPLOAD =
  'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n';

describe('stopping', function () {
  this.timeout(90_000);
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'latchkey-stop-'))));
  afterEach(async () => {
    await endChildren();
    await rm(folder, { recursive: true, force: true });
  });

  async function started() {
    const child = await startMain({ DATA_DIR: folder });
    await child.says('"msg":"ready"');
    return child;
  }

  it('fails no request of fifty busy connections, and tells each to close once the port is closed', async () => {
    const child = await started();
    const { hostname, port } = new URL(child.client.url);
    const answers: (number | undefined)[] = [];
    const failures: string[] = [];
    let toldToClose = 0;

    /** Asks one thing after another, by a new connection when told to close, until nobody listens there any more. */
    async function ask(): Promise<void> {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let refused = false; !refused;) {
        try {
          const { status, close } = await answerOf({ agent, hostname, port, path: ALIVE });
          answers.push(status);
          if (close) toldToClose++;
        } catch (error) {
          refused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
          if (!refused) failures.push(String(error));
        }
      }
      agent.destroy();
    }
    const clients = Array.from({ length: 50 }, ask);
    while (answers.length < 1_000) await delay(5);
    const told = performance.now();
    child.kill('SIGTERM');
    await Promise.all(clients);
    expect(await child.ended).to.deep.equal({ code: 0, signal: null });
    expect(performance.now() - told).to.be.within(4_000, 9_000 + BUSY_MACHINE_MS);
    expect(failures).to.deep.equal([]);
    expect(toldToClose).to.equal(50);
    expect(new Set(answers)).to.deep.equal(new Set([200]));
    expect(child.stderr).to.equal('');
  });

  it('makes readiness answer 503 at once, and lets a request that has begun be finished', async () => {
    const child = await started();
    const uploading = new Conversation(child.client.url);
    uploading.say(UPLOAD);
    await uploading.hears(/^HTTP\/1\.1 100 /);
    const idle = new Conversation(child.client.url);
    idle.say(`GET ${ALIVE} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await idle.hears(/HTTP\/1\.1 200 [^]*"ok"/);

    child.kill('SIGTERM');
    await child.says('"msg":"stopping"');
    // A proxy that asks on a connection it has, and one that makes a new one, are told the same.
    idle.say('GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n');
    await idle.hears(/HTTP\/1\.1 503 [^]*Connection: keep-alive[^]*"status":"stopping"/);
    expect((await child.client.get('/api/health')).status).to.equal(503);

    uploading.say('{}');
    await uploading.hears(/HTTP\/1\.1 422 [^]*invalid_input/);
    expect(await child.ended).to.deep.equal({ code: 0, signal: null });
  });

  it('waits for a request that takes longer than the notice, and still answers on a connection it kept', async () => {
    const child = await started();
    const uploading = new Conversation(child.client.url);
    uploading.say(UPLOAD.replace('Connection: close\r\n', ''));
    await uploading.hears(/^HTTP\/1\.1 100 /);
    const idle = new Conversation(child.client.url);
    idle.say(`GET ${ALIVE} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await idle.hears(/HTTP\/1\.1 200 [^]*"ok"/);
    child.kill('SIGTERM');
    await refused(child.client.url);
    idle.say(`GET ${ALIVE} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await idle.hears(/HTTP\/1\.1 200 [^]*Connection: close[^]*"ok"/);
    uploading.say('{}');
    // Its request began while connections were kept.
    await uploading.hears(/HTTP\/1\.1 422 [^]*Connection: close[^]*invalid_input/);
    expect(await child.ended).to.deep.equal({ code: 0, signal: null });
  });

  it('reaches the program through `npm start`', async () => {
    const { scripts } = (await import('../../package.json', { with: { type: 'json' } })).default;
    const built = 'dist/app/main.js';
    expect(scripts.start).to.include(built);
    const start = scripts.start.replace(built, path.join(ROOT, built));
    await writeFile(path.join(folder, 'package.json'), JSON.stringify({ name: 'started', scripts: { start } }));
    const PORT = String(await freePort());
    const child = new Child('npm', ['start', '--prefix', folder], { PORT, HOST: '127.0.0.1', DATA_DIR: folder });
    await child.says('"msg":"ready"');
    child.kill('SIGTERM');
    await child.ended;
    expect(child.stdout).to.include('"msg":"stopped"');
    await refused(`http://127.0.0.1:${PORT}`);
  });
});

/** The status of an answer that came whole, and whether it asks for the connection's end. */
async function answerOf(options: RequestOptions): Promise<{ status: number | undefined; close: boolean }> {
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      const { statusCode: status, headers } = response;
      response.once('error', reject).once('end', () => resolve({ status, close: headers.connection === 'close' }));
      response.resume();
    });
    sent.once('error', reject).end();
  });
}

/** Resolves once nobody listens there any more. */
async function refused(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  for (;;) {
    const socket = connect(Number(port), hostname);
    try {
      await once(socket, 'connect');
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).to.equal('ECONNREFUSED');
      return;
    } finally {
      socket.destroy();
    }
    await delay(100);
  }
}

/** One connection, word by word. */
class Conversation {
  #heard = '';
  readonly #socket: Socket;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    this.#socket.setEncoding('utf8').on('data', (part: string) => (this.#heard += part));
  }

  say(text: string): void {
    this.#socket.write(text);
  }

  /** Resolves once what came since the last time matches; rejects when the connection ends without. */
  async hears(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#heard)) {
      if (this.#socket.destroyed) throw new Error(`It only said:\n${this.#heard}`);
      await Promise.race([once(this.#socket, 'data'), once(this.#socket, 'close')]);
    }
    this.#heard = '';
  }
}
