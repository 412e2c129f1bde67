import { EventEmitter, once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import path from 'node:path';
import { mock } from 'node:test';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { newId } from '../../app/domain/id.ts';
import { createLog } from '../../app/log.ts';
import { BatchWriter } from '../../app/usage/batchWriter.ts';
import { Usage, type UsageEvent, type UsageSettings } from '../../app/usage/usage.ts';
import type { Writer } from '../../app/usage/writerMessages.ts';
import { writerThread } from '../../app/usage/writerThread.ts';
import type { Db } from '../../db/connection/connect.ts';
import { as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { issue, read, type Key } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

const NEVER: Partial<UsageSettings> = { flushMs: 3_600_000 };

/** Which journal uses are noted in, and on what they are written where it is not the thread's own connection. */
interface Opening {
  on?: Db;
  writer?: Writer;
  folder?: number;
}

onEachDatabase('recording the uses of keys', (database) => {
  const { server, acme, alice } = useServer(database);
  let db: Db;
  let key: Key;
  let lines: string[];
  let opened: Usage[];

  before(async () => {
    db = server.services.db;
  });
  beforeEach(async () => {
    key = await issue(server, as(alice));
    lines = [];
    opened = [];
  });
  afterEach(async () => {
    for (const usage of opened) await usage.close();
  });

  it('writes them by itself after a short while', async () => {
    void open({ flushMs: 1 }).record(event());
    await until(async () => (await written()) === 1);
  });

  it('writes them in a thread of a lower priority than that of requests', async () => {
    const usage = open({ flushMs: 1 });
    void usage.record(event());
    await until(async () => (await written()) === 1);
    const priorities = readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread)));
    expect(priorities).to.include(getPriority(process.pid) + 5);
  });

  it('writes them at once when many wait', async () => {
    const usage = open({ ...NEVER, batchSize: 3 });
    void usage.record(event());
    void usage.record(event());
    await delay(20);
    expect(await written()).to.equal(0);
    void usage.record(event());
    await until(async () => (await written()) === 3);
  });

  it('writes each use once, however many flush at once, and none too few', async () => {
    const usage = open({ ...NEVER, batchSize: 7 });
    const flushes: Promise<void>[] = [];
    for (let i = 0; i < 40; i++) {
      void usage.record(event());
      flushes.push(usage.flush());
    }
    const early = usage.flush();
    void usage.record(event());
    await usage.flush();
    expect(await written()).to.equal(41);
    await Promise.all([...flushes, early]);
    expect(await written()).to.equal(41);
  });

  it('counts thousands of uses of many keys to the last one', async () => {
    const usage = open(NEVER);
    const keyIds = Array.from({ length: 230 }, newId);
    for (let i = 0; i < 2_300; i++) {
      void usage.record(event({ keyId: keyIds[i % 230] ?? '', statusCode: i % 23 === 0 ? 403 : 200, responseMs: 2 }));
    }
    await usage.flush();
    const rows = db('api_key_usage').whereIn('key_id', keyIds);
    const hours = db('api_key_usage_hours').whereIn('key_id', keyIds);
    expect(Number((await rows.count({ n: '*' }).first())?.['n'])).to.equal(2_300);
    expect(numbers(await hours.sum({ ok: 'ok', denied: 'denied', ms: 'response_ms' }).first())).to.deep.equal({
      ok: 2_200,
      denied: 100,
      ms: 4_600,
    });
    const audited = await db('audit_logs').whereIn('entity_id', keyIds).count({ n: '*' }).first();
    expect(Number(audited?.['n'])).to.be.within(230, 460);
  });

  it('never sets the last use back to an earlier time', async () => {
    const usage = open(NEVER);
    const at = Date.now();
    void usage.record(event({ at, ip: '192.0.2.2' }));
    void usage.record(event({ at: at - 1, ip: '192.0.2.1' }));
    await usage.flush();
    expect(await lastUse()).to.deep.equal([at, '192.0.2.2']);
    void usage.record(event({ at: at - 5, ip: '192.0.2.3' }));
    await usage.flush();
    expect(await lastUse()).to.deep.equal([at, '192.0.2.2']);
    void usage.record(event({ at: at + 5, ip: null }));
    await usage.flush();
    expect(await lastUse()).to.deep.equal([at + 5, null]);
  });

  it('cuts what does not fit, so that nothing keeps the rest from being written', async () => {
    const usage = open(NEVER);
    void usage.record(event({ userAgent: 'é'.repeat(10_000), endpoint: '/e'.repeat(300) }));
    void usage.record(event({ userAgent: `${'x'.repeat(254)}😀`, responseMs: NaN, method: 'PROPPATCHED' }));
    void usage.record(event({ responseMs: 1e12, scope: 's'.repeat(1_000) }));
    await usage.flush();
    const rows = (await db('api_key_usage').where({ key_id: key.id }).orderBy('id')) as Record<string, unknown>[];
    expect(rows.map(({ user_agent: agent }) => (agent as string | null)?.length)).to.deep.equal([255, 254, undefined]);
    expect(rows.map(({ response_ms: ms }) => ms)).to.deep.equal([1, 0, 999_999]);
    expect(rows[1]?.['method']).to.equal('PROPPATCHE');
  });

  describe('while the database takes none', () => {
    afterEach(async () => comeBack());

    it('fails no flush and loses nothing', async () => {
      const usage = open(NEVER);
      void usage.record(event());
      await goAway();
      await usage.flush();
      void usage.record(event());
      await usage.flush();
      expect(lines.join()).to.include('could not be counted yet');
      await comeBack();
      await usage.flush();
      expect(await written()).to.equal(2);
      expect(await counted()).to.equal(2);
    });

    it('tries again by itself', async () => {
      await goAway();
      const usage = open({ flushMs: 5 });
      void usage.record(event());
      await until(async () => lines.some((line) => line.includes('could not be counted yet')));
      await comeBack();
      await until(async () => (await written()) === 1);
    });

    it('keeps so many and drops the oldest, saying how many', async () => {
      await goAway();
      const usage = open({ ...NEVER, capacity: 100, batchSize: 10_000 });
      const base = Date.now() - 1_000;
      for (let i = 0; i < 150; i++) void usage.record(event({ at: base + i }));
      await usage.flush();
      // What could not be written then is the oldest now.
      for (let i = 150; i < 175; i++) void usage.record(event({ at: base + i }));
      await usage.flush();
      await comeBack();
      await usage.flush();
      const rows = db('api_key_usage').where({ key_id: key.id }).orderBy('created_at');
      const times = (await rows.pluck('created_at')) as number[];
      expect(times.at(-1)).to.equal(base + 174);
      expect(times).to.deep.equal(times.map((_, i) => base + 175 - times.length + i));
      expect(times.length).to.be.within(1, 100);
      const shed = lines.map((line) => (JSON.parse(line) as { shed?: number }).shed ?? 0);
      expect(shed.reduce((a, b) => a + b)).to.equal(175 - times.length);
    });

    it('answers requests with a key, and reads of keys, as ever', async () => {
      await goAway();
      expect((await server.get('/api/v1/whoami', { 'x-api-key': key.key })).status).to.equal(200);
      expect((await read(server, as(alice), key.id)).lastUsedAt).to.equal(null);
      expect((await server.get('/api/api-keys', as(alice))).status).to.equal(200);
      expect((await server.get('/api/audit-logs', as(alice))).status).to.equal(200);
      await comeBack();
      expect((await read(server, as(alice), key.id)).lastUsedAt).not.to.equal(null);
    });

    it('leaves unwritten uses to the next process, and logs that', async () => {
      await goAway();
      const usage = open(NEVER);
      void usage.record(event());
      void usage.record(event());
      await usage.close();
      expect(lines.map((line) => (JSON.parse(line) as { waiting?: number }).waiting)).to.include(2);
      await comeBack();
      await reopened(usage).recover();
      expect(await written()).to.equal(2);
    });
  });

  it('adds up a great many together, and at once when somebody reads', async () => {
    const usage = open({ ...NEVER, batchSize: 3 });
    for (let i = 0; i < 3; i++) void usage.record(event());
    await until(async () => (await written()) === 3);
    expect(await counted()).to.equal(0);
    await usage.flush();
    expect(await counted()).to.equal(3);
  });

  it('adds up, however many came, before long', async () => {
    const usage = open({ flushMs: 5, batchSize: 3, settleMs: 500 });
    for (let i = 0; i < 3; i++) void usage.record(event());
    await until(async () => (await written()) === 3);
    expect(await counted()).to.equal(0);
    await until(async () => (await counted()) === 3);
  });

  it('adds up as many as the writing thread may hold sums of, without waiting for more', async () => {
    const usage = open({ flushMs: 5, batchSize: 3, settleMs: 3_600_000, settleLines: 6 });
    for (const [total, sums] of [
      [3, 0],
      [6, 6],
    ]) {
      for (let i = 0; i < 3; i++) void usage.record(event());
      await until(async () => (await written()) === total && (await counted()) === sums);
    }
  });

  it('lets a reader wait for a machine that is slow at it, and not for long for a database that takes none', async () => {
    let write: () => Promise<never[]> = async () => [];
    let asked = new EventEmitter();
    const writer: Writer = {
      write: async () => {
        asked.emit('write');
        return write();
      },
      addUp: async () => undefined,
      forget: async () => undefined,
      close: async () => undefined,
    };
    const usage = open({}, { writer });
    /** Reads, and lets this much time pass once the writer was asked. */
    const readDuring = async (ms: number) => {
      asked = new EventEmitter();
      await usage.record(event());
      const isAsked = once(asked, 'write');
      let isRead = false;
      const reading = usage.flush().then(() => (isRead = true));
      await isAsked;
      // A time limit is made of four timers, and takes a turn to be told.
      for (let step = 0; step < 4; step++) {
        mock.timers.tick(ms / 4);
        await nextTurn();
      }
      await nextTurn();
      return { reading, isRead: () => isRead };
    };
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const slow = new EventEmitter();
      write = async () => once(slow, 'written') as Promise<never[]>;
      const { reading, isRead } = await readDuring(5_000);
      expect(isRead()).to.equal(false);
      slow.emit('written');
      await reading;

      write = async () => Promise.reject(new Error('away'));
      await (
        await readDuring(0)
      ).reading;
      expect(usage.failingMs).to.be.a('number');
      write = async () => once(slow, 'written') as Promise<never[]>;
      expect((await readDuring(2_000)).isRead()).to.equal(true);
      write = async () => [];
      slow.emit('written');
    } finally {
      mock.timers.reset();
    }
  });

  it('keeps no reader waiting while uses go on coming', async () => {
    const usage = open({ flushMs: 5, batchSize: 10, patienceMs: 60_000 });
    const enough = new AbortController();
    const coming = (async () => {
      while (!enough.signal.aborted) await usage.record(event());
    })();
    await usage.record(event());
    await usage.flush();
    expect(await counted()).to.be.greaterThan(0);
    enough.abort();
    await coming;
  });

  it('adds up what one thread had written, and another that took its place, once each', async () => {
    let current = writerOn(db);
    const writer: Writer = {
      write: async (...given) => current.write(...given),
      addUp: async (...given) => current.addUp(...given),
      forget: async (...given) => current.forget(...given),
      close: async () => undefined,
    };
    // A batch that comes while the one before is being written waits for the clock.
    const usage = open({ flushMs: 5, batchSize: 3, settleMs: 3_600_000 }, { writer });
    for (const total of [3, 6]) {
      for (let i = 0; i < 3; i++) void usage.record(event());
      await until(async () => (await written()) === total);
      current = writerOn(db);
    }
    expect(await counted()).to.equal(0);
    await usage.flush();
    expect([await written(), await counted()]).to.deep.equal([6, 6]);
  });

  it('adds up what a process had written and not added up when it died', async () => {
    const usage = open({ ...NEVER, batchSize: 3 });
    for (let i = 0; i < 3; i++) void usage.record(event());
    await until(async () => (await written()) === 3);
    await goAway();
    await usage.close();
    await comeBack();
    const next = reopened(usage);
    await next.recover();
    expect([await written(), await counted()]).to.deep.equal([3, 3]);
    expect((await lastUse())[0]).to.be.a('number');
  });

  it('counts once each what a process had begun to write or to add up when it died, a part at a time', async () => {
    let total = 0;
    // Between two parts of the uses, and between two parts of what they come to.
    for (const transactions of [2, 5]) {
      let left = transactions;
      const dying = new Proxy(db, {
        get: (target, name) => {
          if (name !== 'transaction') return Reflect.get(target, name) as unknown;
          return async (work: Parameters<Db['transaction']>[0]) => {
            if (left-- <= 0) throw Object.assign(new Error('dead'), { code: 'ECONNREFUSED' });
            const result: unknown = await target.transaction(work);
            return result;
          };
        },
      });
      const usage = open(NEVER, { on: dying });
      for (let i = 0; i < 2_200; i++) void usage.record(event({ endpoint: `/${i % 1_500}` }));
      await usage.close();
      await reopened(usage).recover();
      total += 2_200;
      expect([await written(), await counted()]).to.deep.equal([total, total]);
    }
  });

  it('gathers uses while many come, to write them together', async () => {
    const gathering = { flushMs: 5, batchSize: 2, together: 3, gatherMs: 3_600_000 };
    const usage = open(gathering);
    void usage.record(event());
    await until(async () => (await written()) === 1);
    for (let i = 0; i < 4; i++) void usage.record(event());
    await delay(30);
    expect(await written()).to.equal(1);
    for (let i = 0; i < 2; i++) void usage.record(event());
    await until(async () => (await written()) === 7);
    for (let i = 0; i < 4; i++) void usage.record(event());
    await usage.flush();
    expect(await written()).to.equal(11);
  });

  it('counts what a journal holds around a line that is none', async () => {
    const usage = open(NEVER);
    void usage.record(event());
    await goAway();
    await usage.close();
    await comeBack();
    const folder = path.join(dataDirOf(opened.indexOf(usage)), 'usage');
    const [journal = ''] = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /jsonl$/.test(name),
    );
    const whole = readFileSync(path.join(folder, journal), 'utf8');
    writeFileSync(path.join(folder, journal), `${whole}["cut of\n${whole}["torn`);
    const next = reopened(usage);
    await next.recover();
    expect([await written(), await counted()]).to.deep.equal([2, 2]);
    expect(next.counts.lost).to.equal(1);
  });

  it('counts a journal that an earlier release left, whose lines are values without names', async () => {
    const at = Date.now();
    const request = ['GET', '/api/v1/projects/:id', 403, 'projects:read', '203.0.113.7', 'curl/8.5.0', 12.5, at];
    const left = JSON.stringify([key.id, acme.id, ...request, 'Nightly export', 'request-1']);
    const folder = leaveJournal(`${left}\n${left}\n${left.slice(0, 40)}`);
    const next = open(NEVER, { folder });
    await next.recover();
    const rows = (await db('api_key_usage').where({ key_id: key.id })) as Record<string, unknown>[];
    expect(rows).to.have.length(2);
    for (const row of rows) {
      expect(row).to.include({ tenant_id: acme.id, method: 'GET', endpoint: '/api/v1/projects/:id' });
      expect(row).to.include({ status_code: 403, scope: 'projects:read', ip: '203.0.113.7', user_agent: 'curl/8.5.0' });
      expect(row).to.include({ response_ms: 12.5, created_at: at });
    }
    expect(await lastUse()).to.deep.equal([at, '203.0.113.7']);
    const audited = (await db('audit_logs').where({ entity_id: key.id, action: 'API_KEY_USED' }).first()) as object;
    expect(audited).to.include({ actor_name: 'Nightly export', request_id: 'request-1' });
    expect([next.counts.written, filesIn(folder)]).to.deep.equal([2, []]);
  });

  it('keeps a journal aside whose lines are of a later version, and deletes nothing of it', async () => {
    const later = JSON.stringify({ v: 2, key: key.id });
    const folder = leaveJournal(`${later}\n`);
    const next = open(NEVER, { folder });
    await next.recover();
    expect([await written(), next.counts.refused]).to.deep.equal([0, 1]);
    const kept = filesIn(folder);
    expect(kept).to.have.length(1);
    expect(kept[0]).to.match(/^refused/);
    expect(linesOf(folder, kept[0])).to.deep.equal([later]);
  });

  it('counts a batch once when the answer to its commit was lost', async () => {
    let lost = 0;
    const flaky = new Proxy(db, {
      get: (target, name) => {
        if (name !== 'transaction') return Reflect.get(target, name) as unknown;
        return async (work: Parameters<Db['transaction']>[0]) => {
          const result: unknown = await target.transaction(work);
          if (lost++ % 2 > 0) return result;
          throw Object.assign(new Error('lost'), { code: 'PROTOCOL_CONNECTION_LOST' });
        };
      },
    });
    const usage = open(NEVER, { on: flaky });
    void usage.record(event());
    await usage.flush();
    void usage.record(event());
    for (let i = 0; i < 3; i++) await usage.flush();
    // The first batch, which came again with the second one, and the sums of both: each was committed, lost, and tried again.
    expect(lost).to.equal(4);
    expect([await written(), await counted()]).to.deep.equal([2, 2]);
  });

  it('keeps a batch aside that the database refuses, goes on with the others, and deletes nothing', async () => {
    const usage = open({ ...NEVER, batchSize: 2 });
    for (const tenantId of [acme.id, null, acme.id]) {
      for (let i = 0; i < 2; i++) void usage.record(event({ tenantId: tenantId as unknown as string }));
      await delay(5);
    }
    for (let i = 0; i < 3; i++) await usage.flush();
    expect([await written(), await counted()]).to.deep.equal([4, 4]);
    expect(usage.counts).to.deep.equal({ recorded: 6, written: 4, refused: 2, lost: 0 });
    expect(lines.filter((line) => (JSON.parse(line) as { refused?: number }).refused === 2)).to.have.length(1);
    await usage.close();
    const kept = filesIn(opened.indexOf(usage)).filter((name) => name.startsWith('refused/'));
    expect(kept).to.have.length(1);
    expect(linesOf(opened.indexOf(usage), kept[0])).to.have.length(2);
  });

  it('counts what was refused once its cause is gone and it is moved back', async () => {
    const usage = open(NEVER);
    const noTenant = event({ tenantId: null as unknown as string });
    void usage.record(noTenant);
    void usage.record(event());
    await usage.flush();
    await usage.close();
    const folder = path.join(dataDirOf(opened.indexOf(usage)), 'usage');
    const [kept = ''] = filesIn(opened.indexOf(usage));
    const mended = readFileSync(path.join(folder, kept), 'utf8').replace('null', JSON.stringify(acme.id));
    writeFileSync(path.join(folder, kept), mended);
    renameSync(path.join(folder, path.dirname(kept)), path.join(folder, path.basename(path.dirname(kept))));
    await reopened(usage).recover();
    expect([await written(), await counted()]).to.deep.equal([2, 2]);
    expect(filesIn(opened.indexOf(usage))).to.deep.equal([]);
  });

  it('keeps a batch of an ended process aside that the database refuses, and counts the rest of what it left', async () => {
    const usage = open({ ...NEVER, batchSize: 1 });
    await goAway();
    for (const tenantId of [null, acme.id]) {
      await usage.record(event({ tenantId: tenantId as unknown as string }));
    }
    await usage.close();
    await comeBack();
    const next = reopened(usage);
    await next.recover();
    expect([await written(), await counted()]).to.deep.equal([1, 1]);
    expect(next.counts).to.include({ refused: 1, lost: 0 });
    expect(filesIn(opened.indexOf(usage))).to.satisfy((names: string[]) =>
      names.every((name) => /^refused/.test(name)),
    );
  });

  it('counts as lost what was deleted from the journal before it was counted, and goes on', async () => {
    await goAway();
    const usage = open({ ...NEVER, batchSize: 2 });
    for (let i = 0; i < 2; i++) void usage.record(event());
    await usage.flush();
    const [name = ''] = filesIn(opened.indexOf(usage));
    rmSync(path.join(dataDirOf(opened.indexOf(usage)), 'usage', name));
    void usage.record(event());
    await comeBack();
    await usage.flush();
    expect(usage.counts).to.include({ recorded: 3, written: 1, lost: 2 });
  });

  it('counts as lost what can neither be written to the journal nor kept in memory, and says so once', async () => {
    const usage = open(NEVER);
    await usage.record(event());
    await usage.flush();
    rmSync(path.join(dataDirOf(opened.indexOf(usage)), 'usage'), { recursive: true });
    await usage.record(event());
    expect(usage.counts.lost).to.equal(0);
    expect(usage.backlog).to.equal(1);
    for (let i = 0; i < 10_010; i++) void usage.record(event());
    await usage.record(event());
    expect(usage.counts.lost).to.equal(12);
    await usage.close();
    expect(usage.counts).to.deep.equal({ recorded: 10_013, written: 1, refused: 0, lost: 10_012 });
    const said = lines.map((line) => (JSON.parse(line) as { lost?: number }).lost ?? 0);
    expect(said.reduce((a, b) => a + b)).to.equal(10_012);
    expect(lines.filter((line) => line.includes('journal of uses cannot be written'))).to.have.length(1);
  });

  it('never fails a request, whatever it has to record', () => {
    const usage = open(NEVER);
    for (const nonsense of [null, undefined, {}, { userAgent: 5 }])
      void usage.record(nonsense as unknown as UsageEvent);
  });

  it('fails no request where its folder cannot be had', async () => {
    const usage = new Usage(writerOn(db), server.services.log, '/dev/null/nowhere');
    await usage.record(event());
    expect(usage.counts).to.include({ recorded: 1, lost: 1 });
  });

  it('writes what is left when the process stops', async () => {
    const usage = open(NEVER);
    void usage.record(event());
    await usage.close();
    expect(await written()).to.equal(1);
  });

  function open(settings: Partial<UsageSettings>, { on, folder = opened.length, ...given }: Opening = {}): Usage {
    const write = (line: string) => void lines.push(line);
    const log = createLog('trace', { write });
    const writer = given.writer ?? (on ? writerOn(on) : writerThread.open(server.services.config.database, log));
    const usage = new Usage(writer, log, dataDirOf(folder), settings);
    opened.push(usage);
    return usage;
  }

  /** Writes in this thread, on a connection that stays open. */
  function writerOn(on: Db): Writer {
    return Object.assign(new BatchWriter(on), { close: async () => undefined });
  }

  function dataDirOf(folder: number): string {
    return path.join(database.env().DATA_DIR, `${key.id}-${folder}`);
  }

  /** A data folder with what a process that is no more wrote to its journal. */
  function leaveJournal(text: string): number {
    const folder = opened.length;
    const left = path.join(dataDirOf(folder), 'usage', newId());
    mkdirSync(left, { recursive: true });
    writeFileSync(path.join(left, '0.jsonl'), text);
    return folder;
  }

  /** The files of the journal in a data folder, by their paths in it. */
  function filesIn(folder: number): string[] {
    const names = readdirSync(path.join(dataDirOf(folder), 'usage'), { recursive: true, encoding: 'utf8' });
    return names.filter((name) => name.endsWith('.jsonl'));
  }

  function linesOf(folder: number, name = ''): string[] {
    return readFileSync(path.join(dataDirOf(folder), 'usage', name), 'utf8')
      .trimEnd()
      .split('\n');
  }

  /** The next process on the same data folder. */
  function reopened(usage: Usage): Usage {
    return open(NEVER, { folder: opened.indexOf(usage) });
  }

  function event(change: Partial<UsageEvent> = {}): UsageEvent {
    return {
      tenantId: acme.id,
      keyId: key.id,
      keyName: 'a key',
      method: 'GET',
      endpoint: '/api/v1/whoami',
      statusCode: 200,
      scope: null,
      ip: '127.0.0.1',
      userAgent: null,
      responseMs: 1,
      at: Date.now(),
      requestId: null,
      ...change,
    };
  }

  async function written(): Promise<number> {
    return Number((await db('api_key_usage').where({ key_id: key.id }).count({ n: '*' }).first())?.['n']);
  }

  async function counted(): Promise<number> {
    return Number((await db('api_key_usage_hours').where({ key_id: key.id }).sum({ n: 'ok' }).first())?.['n']);
  }

  async function lastUse(): Promise<unknown[]> {
    const row = (await db('api_keys').where({ id: key.id }).first()) as Record<string, unknown>;
    return [row['last_used_at'], row['last_used_ip']];
  }

  async function goAway(): Promise<void> {
    await db.schema.renameTable('usage_batches', 'usage_batches_away');
  }

  async function comeBack(): Promise<void> {
    if (await db.schema.hasTable('usage_batches_away'))
      await db.schema.renameTable('usage_batches_away', 'usage_batches');
  }

  async function until(isSo: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!(await isSo())) {
      if (Date.now() > deadline) throw new Error('it did not come about in 20 s');
      await delay(5);
    }
  }
});

function numbers(row: Record<string, unknown> | undefined): Record<string, number> {
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]));
}
