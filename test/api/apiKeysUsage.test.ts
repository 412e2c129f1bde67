import { expect } from 'chai';
import { newId } from '../../app/domain/id.ts';
import type { UsageEvent } from '../../app/usage/usage.ts';
import { as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer } from '../support/http.ts';
import { issue, read, refusal, type AuditRow, type Key } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const time = (ms: number) => new Date(ms).toISOString();

interface UsageRow {
  id: string;
  method: string;
  endpoint: string;
  statusCode: number;
  ipAddress: string;
  userAgent: string | null;
  responseTimeMs: number;
  createdAt: string;
}

interface Outcomes {
  ok: number;
  denied: number;
  clientErrors: number | null;
  serverErrors: number | null;
}

interface Stats {
  window: string | null;
  from: string;
  to: string;
  totals: Outcomes & { requests: number; averageMs: number | null; p50Ms: number | null; p95Ms: number | null };
  buckets: ({ from: string; to: string } & Outcomes)[];
  topEndpoints: { method: string; endpoint: string; requests: number }[];
  scopes: { used: { scope: string; requests: number }[]; neverUsed: string[] };
}

onEachDatabase('the use of a key', (database) => {
  const { server, ...cast } = useServer(database);
  let key: Key;
  const alice = () => as(cast.alice);

  beforeEach(async () => {
    key = await issue(server, alice(), { name: 'used', scopes: ['read', 'projects:write'] });
  });

  it('shows in the next read of the key, as lastUsedAt', async () => {
    expect(await read(server, alice(), key.id)).to.deep.include({ lastUsedAt: null, lastUsedIp: null });
    const before = Date.now();
    await use('/api/v1/whoami');
    const { lastUsedAt, lastUsedIp } = await read(server, alice(), key.id);
    expect(Date.parse(lastUsedAt ?? '')).to.be.within(before, Date.now());
    expect(lastUsedIp).to.equal('127.0.0.1');
    const { body } = await server.get('/api/api-keys?sort=-lastUsedAt&limit=1', alice());
    expect((body as { data: Key[] }).data).to.deep.include.members([await read(server, alice(), key.id)]);
  });

  it('is written down request by request, newest first, refusals included', async () => {
    await use('/api/v1/audit-logs?limit=1', { 'User-Agent': 'curl/8.0' });
    await use(`/api/v1/api-keys/${key.id}`, {});
    await use('/api/v1/audit-logs?limit=0');
    await use('/api/audit-logs', { 'x-tenant-id': cast.globex.id });
    const { data, nextCursor } = await usage();
    expect(nextCursor).to.equal(null);
    expect(data.map(({ endpoint, statusCode }) => [endpoint, statusCode])).to.deep.equal([
      ['/api/audit-logs', 403],
      ['/api/v1/audit-logs', 400],
      ['/api/v1/api-keys/:id', 403],
      ['/api/v1/audit-logs', 200],
    ]);
    const [first] = data.slice(-1);
    expect(first).to.deep.include({ method: 'GET', ipAddress: '127.0.0.1', userAgent: 'curl/8.0' });
    expect(first?.responseTimeMs).to.be.within(0, 60_000);
    for (const { responseTimeMs } of data)
      expect(Number.isInteger(responseTimeMs), `${responseTimeMs} ms`).to.equal(true);
    expect(Object.keys(first ?? {})).to.have.members([
      ...['id', 'method', 'endpoint', 'statusCode', 'ipAddress', 'userAgent', 'responseTimeMs', 'createdAt'],
    ]);
  });

  it('leaves no trace of a key that was refused as such', async () => {
    await server.delete(`/api/api-keys/${key.id}`, alice());
    await use('/api/v1/whoami');
    expect((await usage()).data).to.deep.equal([]);
  });

  it('is paged by a cursor that fits this key only', async () => {
    for (let i = 0; i < 5; i++) await use('/api/v1/whoami');
    const whole = (await usage()).data.map(({ id }) => id);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { data: UsageRow[]; nextCursor: string | null } = await usage(
        `?limit=2${cursor && `&cursor=${cursor}`}`,
      );
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).to.deep.equal(whole).and.have.length(5);

    const { nextCursor } = await usage('?limit=1');
    const other = await issue(server, alice());
    const foreign = await server.get(`/api/api-keys/${other.id}/usage?cursor=${nextCursor ?? ''}`, alice());
    expect(refusal(foreign, 400, 'invalid_query')).to.deep.equal(['cursor']);
    for (const query of ['cursor=x', 'limit=501', 'limit=0', 'limit=abc', 'page=1']) {
      const [name = ''] = query.split('=');
      const answer = await server.get(`/api/api-keys/${key.id}/usage?${query}`, alice());
      expect(refusal(answer, 400, 'invalid_query')).to.deep.equal([name]);
    }
  });

  it('is condensed in the audit log to one row per key, address and hour', async () => {
    const at = Date.now() - (Date.now() % HOUR_MS) - 2 * HOUR_MS;
    const times = [at, at + HOUR_MS - 1, at + HOUR_MS];
    for (const one of times) record({ at: one });
    record({ at, ip: '192.0.2.1', statusCode: 403 });
    const { body } = await server.get(`/api/audit-logs?action=API_KEY_USED&entityId=${key.id}`, alice());
    const rows = (body as { data: AuditRow[] }).data;
    expect(rows.map(({ createdAt, ipAddress }) => [Date.parse(createdAt) - at, ipAddress])).to.have.deep.members([
      [0, '127.0.0.1'],
      [HOUR_MS, '127.0.0.1'],
      [0, '192.0.2.1'],
    ]);
    expect(rows[0]).to.deep.include({ entity: 'api_key', actorType: 'api_key', actorId: key.id, actorName: 'used' });
    expect((await usage()).data).to.have.length(4);
  });

  describe('summed up', () => {
    for (const [window, buckets, hours] of [
      ['24h', 24, 1],
      ['7d', 28, 6],
      ['30d', 30, 24],
    ] as const) {
      it(`over ${window} has ${buckets} buckets on the clock, empty ones too`, async () => {
        record({ statusCode: 200 });
        const asked = Date.now();
        const stats = await summed(`?window=${window}`);
        expect(stats.window).to.equal(window);
        expect(stats.buckets).to.have.length(buckets);
        const edges = stats.buckets.flatMap(({ from, to }) => [Date.parse(from), Date.parse(to)]);
        expect(edges[0]).to.equal(Date.parse(stats.from));
        expect(edges.at(-1)).to.equal(Date.parse(stats.to)).and.be.greaterThan(asked);
        stats.buckets.forEach(({ from, to }, i) => {
          expect(Date.parse(to) - Date.parse(from)).to.equal(hours * HOUR_MS);
          expect(Date.parse(from) % (hours * HOUR_MS)).to.equal(0);
          if (i > 0) expect(from).to.equal(stats.buckets[i - 1]?.to);
        });
        expect(stats.buckets.at(-1)).to.deep.include({ ok: 1, denied: 0 });
        expect(stats.totals.requests).to.equal(1);
      });
    }

    it('counts each request once: as ok, denied, or an error of the client or of the server', async () => {
      for (const statusCode of [200, 304]) record({ statusCode });
      for (const statusCode of [404, 409, 422, 500]) record({ statusCode });
      for (const statusCode of [401, 403, 429]) record({ statusCode });
      const { totals, buckets } = await summed();
      const counts = { ok: 2, denied: 3, clientErrors: 3, serverErrors: 1 };
      expect(totals).to.include({ requests: 9, ...counts });
      expect(buckets.at(-1)).to.include(counts);
      // As a release left it that did not count errors by themselves.
      const unknown = { client_errors: null, server_errors: null };
      await server.services.db('api_key_usage_hours').where({ key_id: key.id }).update(unknown);
      const untold = { ok: 6, denied: 3, clientErrors: null, serverErrors: null };
      const before = await summed();
      expect(before.totals).to.include({ requests: 9, ...untold });
      expect(before.buckets.at(-1)).to.include(untold);
      expect(before.buckets[0]).to.include({ ok: 0, denied: 0, clientErrors: 0, serverErrors: 0 });
    });

    it('says how long half of its requests and 95 of 100 took, as long as they are kept', async () => {
      for (let ms = 1; ms <= 20; ms++) record({ responseMs: ms });
      expect((await summed()).totals).to.include({ averageMs: 10.5, p50Ms: 10, p95Ms: 19 });
      record({ responseMs: 5, at: Date.now() - 40 * DAY_MS });
      const { totals } = await summed(`?from=${time(Date.now() - 41 * DAY_MS)}`);
      expect(totals).to.include({ requests: 21, p50Ms: null, p95Ms: null });
    });

    it('covers any span of the last 396 days, in whole hours', async () => {
      const hour = Date.now() - (Date.now() % HOUR_MS) - 5 * HOUR_MS;
      for (const at of [hour - 1, hour, hour + HOUR_MS, hour + 2 * HOUR_MS]) record({ at });
      const span = `?from=${time(hour + 60_000)}&to=${time(hour + HOUR_MS + 60_000)}`;
      const { window, from, to, buckets, totals } = await summed(span);
      expect({ window, from, to }).to.deep.equal({ window: null, from: time(hour), to: time(hour + 2 * HOUR_MS) });
      expect(buckets.map(({ ok }) => ok)).to.deep.equal([1, 1]);
      expect(totals.requests).to.equal(2);
      const year = await summed(`?from=${time(Date.now() - 390 * DAY_MS)}&to=${time(Date.now() + DAY_MS)}`);
      expect(year.totals.requests).to.equal(4);
      expect(year.buckets).to.have.length(56);
      expect(Date.parse(year.to)).to.be.within(Date.now(), Date.now() + HOUR_MS);
    });

    it('counts what was answered and what was denied, and where', async () => {
      const now = Date.now();
      record({ statusCode: 200, scope: 'projects:read', endpoint: '/api/v1/projects', responseMs: 10 });
      record({ statusCode: 399, scope: 'projects:read', endpoint: '/api/v1/projects', responseMs: 20 });
      record({ statusCode: 429, scope: 'projects:read', endpoint: '/api/v1/projects', responseMs: 3 });
      record({ statusCode: 403, scope: 'billing:write', endpoint: '/api/v1/billing', at: now - 2 * HOUR_MS });
      record({ statusCode: 200, at: now - 25 * HOUR_MS });
      const stats = await summed();
      expect(stats.window).to.equal('24h');
      expect(stats.totals).to.include({ requests: 4, ok: 2, denied: 2, averageMs: 8.5 });
      expect(
        stats.buckets.filter(({ ok, denied }) => ok + denied > 0).map(({ ok, denied }) => [ok, denied]),
      ).to.deep.equal([
        [0, 1],
        [2, 1],
      ]);
      expect(stats.topEndpoints).to.deep.equal([
        { method: 'GET', endpoint: '/api/v1/projects', requests: 3 },
        { method: 'GET', endpoint: '/api/v1/billing', requests: 1 },
      ]);
      expect(stats.scopes).to.deep.equal({
        used: [{ scope: 'projects:read', requests: 3 }],
        neverUsed: [],
      });
      expect((await summed('?window=7d')).totals.requests).to.equal(5);
    });

    it('adds up what several flushes brought', async () => {
      const at = Date.now();
      for (let i = 0; i < 3; i++) {
        record({ at, responseMs: 2 });
        await server.services.usage.flush();
      }
      const { totals } = await summed();
      expect(totals).to.include({ requests: 3, ok: 3, denied: 0, averageMs: 2 });
    });

    it('says which scopes nothing ever asked for', async () => {
      record({ scope: 'projects:read' });
      expect((await summed()).scopes.neverUsed).to.deep.equal([]);
      await server.patch(`/api/api-keys/${key.id}`, { scopes: ['orders:read', 'projects:write'] }, alice());
      expect((await summed()).scopes.neverUsed).to.deep.equal(['orders:read']);
    });

    it('of a key that was never used is all zeros', async () => {
      const { totals, topEndpoints, scopes } = await summed();
      const counts = { requests: 0, ok: 0, denied: 0, clientErrors: 0, serverErrors: 0 };
      expect(totals).to.deep.equal({ ...counts, averageMs: null, p50Ms: null, p95Ms: null });
      expect(topEndpoints).to.deep.equal([]);
      expect(scopes).to.deep.equal({ used: [], neverUsed: ['read', 'projects:write'] });
    });

    it('over a span that is none is refused', async () => {
      const now = Date.now();
      const wrong: Record<string, string> = {
        'window=1h': 'window',
        [`window=24h&from=${time(now - DAY_MS)}`]: 'window',
        'from=yesterday': 'from',
        [`from=${time(now - 400 * DAY_MS)}`]: 'from',
        [`from=${time(now + DAY_MS)}`]: 'from',
        [`from=${time(now - DAY_MS)}&to=${time(now - DAY_MS)}`]: 'from',
        [`to=${time(now)}`]: 'from',
        [`from=${time(now - DAY_MS)}&to=2026`]: 'to',
      };
      for (const [query, field] of Object.entries(wrong)) {
        const answer = await server.get(`/api/api-keys/${key.id}/usage/stats?${query}`, alice());
        expect(refusal(answer, 400, 'invalid_query'), query).to.deep.equal([field]);
      }
    });
  });

  it('is by scopes, which scopes/available lists in words with the routes that each opens', async () => {
    const { body } = await server.get('/api/api-keys/scopes/available', alice());
    const { scopes, catalogue } = body as { scopes: string[]; catalogue: Record<string, unknown>[] };
    expect(scopes[0]).to.equal('read');
    expect(catalogue.map(({ scope }) => scope)).to.deep.equal(scopes);
    const readScope = catalogue.find(({ scope }) => scope === 'read');
    expect(readScope).to.include({ group: 'general' });
    expect(readScope?.['description']).to.be.a('string').and.not.equal('');
    expect(readScope?.['routes']).to.include.members(['GET /api/audit-logs', 'GET /api/v1/audit-logs']);
  });

  async function use(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return server.get(path, { 'x-api-key': key.key, ...headers });
  }

  function record(event: Partial<UsageEvent>): void {
    void server.services.usage.record({
      tenantId: cast.acme.id,
      keyId: key.id,
      keyName: key.name,
      method: 'GET',
      endpoint: '/api/v1/whoami',
      statusCode: 200,
      scope: null,
      ip: '127.0.0.1',
      userAgent: null,
      responseMs: 1,
      at: Date.now(),
      requestId: newId(),
      ...event,
    });
  }

  async function usage(query = ''): Promise<{ data: UsageRow[]; nextCursor: string | null }> {
    const { status, body, text } = await server.get(`/api/api-keys/${key.id}/usage${query}`, alice());
    expect(status, text).to.equal(200);
    return body as { data: UsageRow[]; nextCursor: string | null };
  }

  async function summed(query = ''): Promise<Stats> {
    const { status, body, text } = await server.get(`/api/api-keys/${key.id}/usage/stats${query}`, alice());
    expect(status, text).to.equal(200);
    return body as Stats;
  }
});
