import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { systemContext } from '../../app/actions/actionContext.ts';
import { recordAuditEvent } from '../../app/actions/auditRecord.ts';
import { changedFields } from '../../app/domain/auditEvent.ts';
import { transaction } from '../../db/connection/connect.ts';
import { createHttpServer, listen } from '../../app/server.ts';
import { BUSY_MACHINE_MS } from '../support/busyMachine.ts';
import { PASSWORD } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useServer } from '../support/useServer.ts';
import { Visitor } from '../support/visitor.ts';
import { acmePage } from '../support/organisationPages.ts';

const EXPORT = acmePage('/audit-logs/export');
const CANARY = 'canary-in-the-filter';

interface Line {
  level: number;
  fault: string;
  status: number;
}

onEachDatabase('an answer that is broken off on its way', (database) => {
  const { server, acme, alice, bob } = useServer(database);
  let visitor: Visitor;
  let printed: string[];
  const print = process.stderr.write.bind(process.stderr);
  before(async () => {
    visitor = new Visitor(server);
    await visitor.signIn(alice.email, PASSWORD);
  });
  beforeEach(() => {
    printed = [];
    process.stderr.write = (text: unknown) => printed.push(String(text)) > 0;
  });
  afterEach(() => (process.stderr.write = print));

  /** The lines with this message, once there are so many. */
  async function lines(message: string, { from = 0, count = 1 } = {}): Promise<Line[]> {
    const deadline = Date.now() + 10_000 + BUSY_MACHINE_MS;
    for (;;) {
      const found = server.log.slice(from).filter((line) => line.includes(`"msg":"${message}"`));
      if (found.length >= count) return found.map((line) => JSON.parse(line) as Line);
      expect(Date.now(), `nothing said "${message}"`).to.be.lessThan(deadline);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  it('by the database is a line in the log with the fault’s code, without the statement or its values', async () => {
    const { db } = server.services;
    await db.schema.renameTable('audit_logs', 'audit_logs_away');
    try {
      const broken = await visitor.get(`${EXPORT}?about=${CANARY}`).then(
        () => 'whole',
        (error: unknown) => (error as { code: string }).code,
      );
      expect(broken).to.equal('ECONNRESET');
    } finally {
      await db.schema.renameTable('audit_logs_away', 'audit_logs');
    }
    const [line] = await lines('an answer was broken off');
    expect(line?.fault).to.match(/^(SQLITE_ERROR|ER_NO_SUCH_TABLE)$/);
    expect(printed).to.deep.equal([]);
    expect(server.log.join('')).not.to.match(/select|canary/i);
  });

  it('by its reader is no error in the log', async () => {
    const text = 'x'.repeat(4_000);
    await transaction(server.services.db, async (trx) => {
      const act = systemContext(trx, acme.id);
      for (let i = 0; i < 1_500; i++) {
        await recordAuditEvent(trx, act, {
          action: 'USER_CHANGED',
          entityId: bob.id,
          ...changedFields(null, { text }),
        });
      }
    });
    const { hostname, port } = new URL(server.url);
    const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const asking = request({ hostname, port, path: EXPORT, headers: { Cookie: cookie }, agent: false }).end();
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    expect(answer.statusCode).to.equal(200);
    await once(answer, 'readable');
    answer.destroy();
    const gone = await lines('whoever asked has gone');
    expect(gone.every(({ level }) => level <= 20)).to.equal(true);
    expect(printed).to.deep.equal([]);
  });

  it('by a reader who goes before it begins is no error in the log either', async () => {
    const before = server.log.length;
    const { hostname, port } = new URL(server.url);
    const reader = connect(Number(port), hostname);
    const body = JSON.stringify({ email: alice.email, password: PASSWORD });
    reader.write(
      `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
    );
    // The server is at the request by then.
    await once(reader, 'data');
    reader.resetAndDestroy();
    await lines('whoever asked has gone', { from: before });
    expect(server.log.slice(before).join('')).not.to.match(/unexpected fault|broken off/);
  });

  it('by a reader who goes while several of their requests wait is logged with the statuses that it would have had', async () => {
    const http = createHttpServer(server.services);
    await listen(http, 0, '127.0.0.1');
    const from = server.log.length;
    const reader = connect((http.address() as AddressInfo).port, '127.0.0.1');
    const body = JSON.stringify({ email: alice.email, password: PASSWORD });
    const login = `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    let underWay = 0;
    const both = new Promise<void>((resolve) => http.on('request', () => ++underWay === 2 && resolve()));
    reader.write(login + login);
    await both;
    reader.resetAndDestroy();
    http.close();
    const logged = await lines('request', { from, count: 2 });
    expect(logged.map(({ status }) => status)).to.deep.equal([200, 200]);
  });
});
