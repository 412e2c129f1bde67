import { expect } from 'chai';
import { newId } from '../../app/domain/id.ts';
import { requestLog, type RequestLogQuery } from '../../app/usage/requestLog.ts';
import { responseTimes } from '../../app/usage/responseTimes.ts';
import { UsageTotals } from '../../app/usage/usageTotals.ts';
import type { JournalEntry } from '../../app/usage/usageEvent.ts';
import { UsageWriter } from '../../app/usage/usageWriter.ts';
import { insertKeyUsage } from '../../db/tables/usage/apiKeyUsage.ts';
import { onEachDatabase } from '../support/databases.ts';
import { explained } from '../support/plans.ts';
import { useServerWithoutCast } from '../support/useServer.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.now();
const SPAN = { from: NOW - 29 * DAY, to: NOW + HOUR };

onEachDatabase('the requests of a key', (database) => {
  const server = useServerWithoutCast(database);
  const key = { tenantId: newId(), id: newId() };

  type Made = Partial<Pick<JournalEntry, 'keyId' | 'endpoint' | 'statusCode' | 'ip' | 'responseMs'>>;
  const use = (ago: number, made: Made = {}): JournalEntry => ({
    ...({ v: 1, keyId: key.id, tenantId: key.tenantId, keyName: 'a key', method: 'GET', endpoint: '/a' } as const),
    ...{ statusCode: 200, scope: null, ip: '203.0.113.9', userAgent: null, responseMs: 1, requestId: null },
    ...{ createdAt: NOW - ago, ...made },
  });
  /** Writes requests to the log, and where they are counted to the hours too. */
  const write = async (uses: JournalEntry[], { counted = true } = {}) => {
    const { db } = server.services;
    const batch = { processId: newId(), sequence: 1 };
    await insertKeyUsage(db, batch, { uses, json: JSON.stringify(uses) });
    const totals = new UsageTotals();
    for (const one of uses) totals.add(one);
    if (counted) await new UsageWriter(db).writeSums([{ batches: [batch], totals }]);
  };
  const found = async (query: Partial<RequestLogQuery>, atMost?: { requests: number; hours: number }) =>
    requestLog(server.services.db, key, { span: SPAN, after: undefined, limit: 3, ...query }, NOW, atMost);
  const agoOf = (requests: readonly { createdAt: number }[]) => requests.map(({ createdAt }) => NOW - createdAt);

  before(async () => {
    await write([
      ...[1, 2, 3, 4, 5].map((ago) => use(ago * DAY)),
      use(2 * DAY + 1, { statusCode: 403 }),
      use(9 * DAY, { statusCode: 429, endpoint: '/b', ip: '198.51.100.7' }),
      use(6 * DAY, { statusCode: 404 }),
      use(7 * DAY, { statusCode: 500, endpoint: '/b', ip: '2001:db8::1' }),
      use(8 * DAY, { keyId: newId(), statusCode: 403 }),
    ]);
  });

  const b = { method: 'GET', endpoint: '/b' };
  const CASES: [string, Partial<RequestLogQuery>, number[]][] = [
    ['that were refused to it', { status: 'denied' }, [2 * DAY + 1, 9 * DAY]],
    ['that failed for another reason', { status: 'error' }, [6 * DAY, 7 * DAY]],
    ['answered with a status', { status: 429 }, [9 * DAY]],
    ['to a route', { route: b }, [7 * DAY, 9 * DAY]],
    ['to a route, and refused there', { route: b, status: 'denied' }, [9 * DAY]],
    ['from an address', { ip: '198.51.100.7' }, [9 * DAY]],
    ['from addresses that begin so', { ip: '2001:db8:' }, [7 * DAY]],
    ['from an address that is a pattern', { ip: '%' }, []],
    ['of a span', { span: { from: NOW - 4 * DAY, to: NOW - 2 * DAY } }, [2 * DAY + 1, 3 * DAY, 4 * DAY]],
    ['of a kind that there is none of', { status: 418 }, []],
  ];
  for (const [kind, query, expected] of CASES) {
    it(`${kind} are found, the newest first`, async () => {
      const { requests, next } = await found(query);
      expect(agoOf(requests)).to.deep.equal(expected);
      expect(next).to.equal(undefined);
    });
  }

  it('are read page by page, each once', async () => {
    const first = await found({ status: 'ok' });
    const second = await found({ status: 'ok', after: first.next });
    expect(agoOf([...first.requests, ...second.requests])).to.deep.equal([1, 2, 3, 4, 5].map((ago) => ago * DAY));
    expect(second.next).to.equal(undefined);
  });

  it('are looked through in parts where most do not fit, and the next page goes on behind what was looked through', async () => {
    const seen: number[] = [];
    let after: RequestLogQuery['after'];
    let pages = 0;
    do {
      const page = await found({ ip: '198.51.100.7', after }, { requests: 2, hours: 5 });
      seen.push(...agoOf(page.requests));
      if (page.next) expect(page.lookedBackTo).to.equal(page.next.at);
      after = page.next;
      pages += 1;
    } while (after);
    expect(seen).to.deep.equal([9 * DAY]);
    expect(pages).to.be.within(3, 8);
  });

  it('are found before they are counted, and in hours that the release before counted without their errors', async () => {
    await write([use(1, { statusCode: 502 })], { counted: false });
    await server.services.db('api_key_usage_hours').update({ client_errors: null, server_errors: null });
    expect(agoOf((await found({ status: 'error' })).requests)).to.deep.equal([1, 6 * DAY, 7 * DAY]);
  });

  it('are found along an index by every filter', async () => {
    for (const [kind, query] of CASES) {
      for (const table of ['api_key_usage', 'api_key_usage_hours']) {
        for (const { sql, ...plan } of await explained(server, table, async () => found(query))) {
          expect(plan, `${kind}: ${sql}`).to.deep.equal({ scans: false, sorts: false });
        }
      }
    }
  });

  it('give their median and 95th percentile, of many by a sample, and none once they are no longer kept', async () => {
    const [busy, few] = [newId(), newId()];
    const many = Array.from({ length: 6_000 }, (_, n) =>
      use(n * 10 * 60_000 + 1, { keyId: busy, responseMs: n % 100 }),
    );
    for (let n = 0; n < many.length; n += 500) await write(many.slice(n, n + 500));
    await write([30, 10, 20].map((responseMs) => use(DAY, { keyId: few, responseMs })));
    const { db } = server.services;
    const times = async (keyId: string, days: number, requests: number) =>
      responseTimes(db, key.tenantId, [{ keyId, from: NOW - days * DAY, to: NOW + 1, requests }], NOW);
    expect(await times(few, 7, 3)).to.deep.equal({ medianMs: 20, p95Ms: 30, sampled: 3, isSample: false });
    const sampled = await times(busy, 29, 5_500);
    expect(sampled?.isSample).to.equal(true);
    expect(sampled?.sampled).to.be.within(1_000, 5_000);
    expect(sampled?.medianMs).to.be.closeTo(49, 3);
    expect(sampled?.p95Ms).to.be.closeTo(94, 2);
    const old = [{ keyId: few, from: NOW - 40 * DAY, to: NOW - 39 * DAY, requests: 3 }];
    expect(await responseTimes(db, key.tenantId, old, NOW)).to.equal(undefined);
  });
});
