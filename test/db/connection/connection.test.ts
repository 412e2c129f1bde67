import { once } from 'node:events';
import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect } from 'chai';
import { nextTurn } from '../../../app/timing.ts';
import { readConfig } from '../../../app/config.ts';
import type { MysqlConfig } from '../../../db/connection/settings.ts';
import { connect, type Db } from '../../../db/connection/connect.ts';
import { faultCode, isUnavailable } from '../../../db/connection/faults.ts';
import { holdConnections } from '../../../db/connection/heldConnections.ts';
import { mysqlConnection } from '../../../db/connection/mysql.ts';
import { BUSY_MACHINE_MS } from '../../support/busyMachine.ts';
import { freePort } from '../../support/child.ts';
import { onDatabase, type TestDatabase } from '../../support/databases.ts';
import { JWT_SECRET } from '../../support/server.ts';

function configOf(database: TestDatabase): MysqlConfig {
  return readConfig({ JWT_SECRET, ...database.env() }).database as MysqlConfig;
}

/** The same database, asked as the URL's query says. */
function secured(database: TestDatabase, query: string): MysqlConfig {
  const url = `mysql://host.example/name${query}`;
  const { tls } = readConfig({ JWT_SECRET, DATABASE_URL: url }).database as MysqlConfig;
  return { ...configOf(database), tls };
}

async function failureOf(work: PromiseLike<unknown>): Promise<{ error: unknown; ms: number }> {
  const started = performance.now();
  try {
    await work;
  } catch (error) {
    return { error, ms: performance.now() - started };
  }
  throw new Error('it did not fail');
}

/** Stops this process as a busy machine does. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function answerOf<T>(db: Db, sql: string): Promise<T> {
  const answer: unknown = await db.raw(sql);
  const [[row]] = answer as [[T]];
  return row;
}

onDatabase('mysql', 'a connection', (database) => {
  let db: Db;
  beforeEach(() => (db = connect(configOf(database))));
  afterEach(() => db.destroy());

  it('speaks UTC, UTF-8 and strict SQL, and sees what others have committed', async () => {
    const session = await answerOf<Record<string, unknown>>(
      db,
      'select @@time_zone zone, @@character_set_client charset, @@sql_mode mode, timestampdiff(second, utc_timestamp(), now()) shift',
    );
    expect(session).to.include({ zone: '+00:00', charset: 'utf8mb4', shift: 0 });
    expect(session.mode).to.include('STRICT_ALL_TABLES');
    const isolation = await answerOf<{ Value: string }>(db, "show variables like 'tx_isolation'").catch(
      () => undefined,
    );
    const named = isolation ?? (await answerOf<{ Value: string }>(db, "show variables like 'transaction_isolation'"));
    expect(named.Value).to.equal('READ-COMMITTED');
  });

  it('reads what other nodes have committed, where the server knows clusters', async () => {
    const known = await answerOf<{ Value: string } | undefined>(db, "show variables like 'wsrep_sync_wait'");
    expect(known?.Value).to.be.oneOf(['1', undefined]);
    const { version } = await answerOf<{ version: string }>(db, 'select version() version');
    expect(known !== undefined).to.equal(version.includes('MariaDB'));
  });

  it('is waited for, and so is its answer, when the process paused for longer than that may take', async () => {
    const held = holdConnections(db);
    // Once while the connections are made, once while they are used.
    for (const ms of [600, 1_100]) {
      const asked = Promise.all([answerOf(db, 'select 1 as one'), held.ask('select 1 as one')]);
      await nextTurn();
      pause(ms);
      expect(await asked).to.deep.equal([{ one: 1 }, [{ one: 1 }]]);
    }
    held.release();
  });

  it('gives up on a slow query after a second, and is not used again', async () => {
    const { id } = await answerOf<{ id: number }>(db, 'select connection_id() id');
    const { error, ms } = await failureOf(db.raw('select sleep(30) as answer'));
    expect(isUnavailable(error)).to.equal(true);
    expect(faultCode(error)).to.equal('PROTOCOL_SEQUENCE_TIMEOUT');
    expect(ms).to.be.within(900, 1_300 + BUSY_MACHINE_MS);
    const next = await answerOf<{ id: number; answer: number }>(db, 'select connection_id() id, 42 answer');
    expect(next.answer).to.equal(42);
    expect(next.id).not.to.equal(id);
  });

  it('gives up on a slow query inside a transaction as fast', async () => {
    const { error, ms } = await failureOf(db.transaction(async (trx) => answerOf(trx, 'select sleep(30)')));
    expect(isUnavailable(error)).to.equal(true);
    expect(ms).to.be.lessThan(1_500 + BUSY_MACHINE_MS);
    expect(await answerOf(db, 'select 1 as one')).to.deep.equal({ one: 1 });
  });

  it('is waited for half a second while all of the pool are busy', async () => {
    const busy = await Promise.all(Array.from({ length: 3 }, async () => db.transaction()));
    const { error, ms } = await failureOf(db.raw('select 1'));
    await Promise.all(busy.map(async (trx) => trx.rollback()));
    expect(isUnavailable(error)).to.equal(true);
    expect(ms).to.be.within(450, 900 + BUSY_MACHINE_MS);
    expect(await answerOf(db, 'select 1 as one')).to.deep.equal({ one: 1 });
  });

  it('that the server has ended costs no later query', async () => {
    const { id } = await answerOf<{ id: number }>(db, 'select connection_id() id');
    const killer = connect(configOf(database));
    await killer.raw(`kill ${id}`);
    await killer.destroy();
    // What a query meets that was sent before the end was heard of is 503; then comes a new connection.
    await db.raw('select 1').catch((error: unknown) => expect(isUnavailable(error)).to.equal(true));
    expect(await answerOf(db, 'select 1 as one')).to.deep.equal({ one: 1 });
  });

  it('to a wrong password, database or port is a database that is away, said by its code alone', async () => {
    const wrong: [change: Partial<MysqlConfig>, code: string][] = [
      [{ user: 'nobody', password: 'canary' }, 'ER_ACCESS_DENIED_ERROR'],
      [{ database: 'no_such_database' }, 'ER_BAD_DB_ERROR'],
      [{ port: await freePort() }, 'ECONNREFUSED'],
      [{ host: 'no-such-host.invalid' }, 'ENOTFOUND'],
    ];
    for (const [change, code] of wrong) {
      const other = connect({ ...configOf(database), ...change });
      const { error } = await failureOf(other.raw('select 1'));
      await other.destroy();
      expect(faultCode(error)).to.equal(code);
      expect(isUnavailable(error)).to.equal(true);
    }
  });

  it('that hangs while it is being made is a database that is away within a second', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const other = connect({ ...configOf(database), port: (silent.address() as AddressInfo).port });
    const { error, ms } = await failureOf(other.raw('select 1'));
    expect(isUnavailable(error)).to.equal(true);
    expect(ms).to.be.lessThan(1_000 + BUSY_MACHINE_MS);
    await other.destroy();
    silent.close();
  });

  it('that hangs while its session is made ready is closed, not forgotten', async () => {
    const { host, port } = configOf(database);
    const wire = createServer((client) => {
      const server = dial(port, host);
      server.pipe(client);
      // The server hears who it is, and nothing after that.
      client.once('data', (hello: Buffer) => server.write(hello));
      client.on('close', () => server.destroy());
    }).listen(0, '127.0.0.1');
    await once(wire, 'listening');
    const other = connect({ ...configOf(database), port: (wire.address() as AddressInfo).port });
    const connected = once(wire, 'connection') as Promise<[Socket]>;
    const { error } = await failureOf(other.raw('select 1'));
    expect(isUnavailable(error)).to.equal(true);
    const [client] = await connected;
    if (!client.destroyed) await once(client, 'close');
    await other.destroy();
    wire.close();
  });
});

onDatabase('mysql', 'a value too long to be written into its statement', (database) => {
  const LONG = `\u{1f511}é'"\\ \0${'long '.repeat(2_000)}`;

  it('arrives as it was, beside others of every kind', async () => {
    const db = connect(configOf(database));
    const bytes = Buffer.from([0, 255, 39]);
    const asked = db.raw('select ? as text, hex(?) as bytes, ? + 1 as number, ? as nothing, ? as `long`', [
      "it's",
      bytes,
      2 ** 52,
      null,
      LONG,
    ]);
    const [[row]] = (await asked) as [[object]];
    await db.destroy();
    expect(row).to.deep.equal({ text: "it's", bytes: '00FF27', number: 2 ** 52 + 1, nothing: null, long: LONG });
  });

  it('is given up on after a second, be it while its statement is prepared or run', async () => {
    const wire = await tap(configOf(database));
    const db = connect({ ...configOf(database), port: wire.port });
    await db.raw('select 1');
    const slow = await failureOf(db.raw('select sleep(30), length(?)', [LONG]));
    await db.raw('select 1');
    wire.hold();
    const unprepared = await failureOf(db.raw('select length(?)', [LONG]));
    for (const { error, ms } of [slow, unprepared]) {
      expect(isUnavailable(error)).to.equal(true);
      expect(ms).to.be.within(900, 1_300 + BUSY_MACHINE_MS);
    }
    wire.goOn();
    const [[row]] = (await db.raw('select length(?) as bytes', [LONG])) as [[object]];
    expect(row).to.deep.equal({ bytes: Buffer.byteLength(LONG) });
    await db.destroy();
    await wire.close();
  });
});

onDatabase('mysql', 'TLS to the database', (database) => {
  it('is asked for exactly as ssl-mode says', () => {
    const sslOf = (query: string) => mysqlConnection(secured(database, query)).ssl;
    expect(sslOf('')).to.equal(undefined);
    expect(sslOf('?ssl-mode=required')).to.deep.equal({ rejectUnauthorized: false, verifyIdentity: false });
    expect(sslOf('?ssl-mode=verify-ca')).to.deep.equal({ rejectUnauthorized: true, verifyIdentity: false });
    expect(sslOf('?ssl-mode=verify-identity')).to.deep.equal({ rejectUnauthorized: true, verifyIdentity: true });
  });

  for (const mode of ['required', 'verify-ca', 'verify-identity']) {
    it(`with ssl-mode=${mode} sends nothing in clear text, to a server that offers TLS or not`, async () => {
      const wire = await tap(configOf(database));
      const db = connect({ ...secured(database, `?ssl-mode=${mode}`), host: '127.0.0.1', port: wire.port });
      // A server with a certificate of its own may be spoken to under `required` alone; one without TLS never.
      const session = await answerOf<{ Value: string }>(db, "show status like 'Ssl_cipher'").catch(() => undefined);
      await db.destroy();
      await wire.close();
      expect(session?.Value).not.to.equal('');
      expect(clearText(wire.sent())).to.equal('');
    });
  }
});

/** What a client sends first when it asks for TLS: 32 bytes of flags behind a header of 4, and no name or password. */
const TLS_REQUEST_LENGTH = 36;
const TLS_RECORD = 0x16;

/** Whatever was sent that is neither the request for TLS nor TLS itself. */
function clearText(sent: Buffer): string {
  if (sent.length <= TLS_REQUEST_LENGTH) return '';
  return sent[TLS_REQUEST_LENGTH] === TLS_RECORD ? '' : sent.toString('latin1');
}

/** A wire to the server that keeps all that clients say, and can be held so that the server hears nothing. */
async function tap({ host, port }: MysqlConfig) {
  const sent: Buffer[] = [];
  const clients = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = dial(port, host);
    clients.add(client);
    client.on('data', (part: Buffer) => sent.push(part));
    client.pipe(server).on('error', () => client.destroy());
    server.pipe(client).on('error', () => server.destroy());
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    sent: () => Buffer.concat(sent),
    hold: () => clients.forEach((client) => client.pause().unpipe()),
    goOn: () => clients.forEach((client) => client.destroy()),
    close: async () => {
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
