import { expect } from 'chai';
import { namesOf } from '../../app/domain/scopeCatalogue.ts';
import { isPlatformScope } from '../../app/domain/scopeCatalogue.ts';
import type { Access } from '../../app/http/access.ts';
import { createRoutes } from '../../app/routes.ts';
import { run } from '../../scripts/admin/run.ts';
import { bearer } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Headers } from '../support/http.ts';
import { JWT_SECRET } from '../support/server.ts';
import { useServerWithoutCast } from '../support/useServer.ts';
import { Visitor } from '../support/visitor.ts';
import { pageOf } from '../support/organisationPages.ts';

/** An address of a page of an organisation that does not name the organisation. */
const WITHOUT_ORGANISATION =
  /="\/(?:api-keys|usage|audit-logs|routes|members|membership|settings|marketplace|billing|tickets|shown-once)\b/;
const HARBOR = { slug: 'harbor-logistics' };
const DAY_MS = 86_400_000;
/** Of pages that differ in an id or a value alone, so many are looked at. */
const ALIKE = 2;

interface Told {
  seed: number;
  keys: number;
  requests: number;
  statuses: Record<string, number>;
  people: { email: string; password: string; operator: boolean; places: string[] }[];
  workingKeys: { key: string; name: string; scopes: string[] }[];
}

interface Listed {
  id: string;
  name: string;
  status: string;
  environment: string;
  owner: string;
  createdAt: string;
  lastUsedAt: string | null;
  expiresAt: string | null;
  previousKeyId: string | null;
  successorKeyId: string | null;
}

onEachDatabase('the demo', (database) => {
  const server = useServerWithoutCast(database);
  let told: Told;
  let begun: number;
  const stderr: string[] = [];

  const demo = async (...more: string[]) => {
    const out: string[] = [];
    const code = await run(['demo', '--size', 'small', '--seed', '7', ...more], {
      env: { ...database.env(), JWT_SECRET },
      readInput: async () => '',
      write: (text) => out.push(text),
      complain: (text) => stderr.push(text),
    });
    return { code, out: out.join('\n') };
  };

  before(async function () {
    this.timeout(60_000);
    begun = Date.now();
    const { code, out } = await demo('--json');
    expect(stderr.join('\n')).to.equal('');
    expect(code).to.equal(0);
    told = JSON.parse(out) as Told;
  });

  it('is refused where the sample product is off, before anything is written', async () => {
    const complaints: string[] = [];
    const code = await run(['demo'], {
      env: { ...database.env(), JWT_SECRET, SAMPLE_PRODUCT: 'off' },
      readInput: async () => '',
      write: () => undefined,
      complain: (text) => complaints.push(text),
    });
    expect([code, complaints.join()]).to.deep.equal([
      1,
      'The demo is of the sample product, which SAMPLE_PRODUCT=off takes away: leave that out.',
    ]);
  });

  const passwordOf = (email: string) => told.people.find((one) => one.email === email)?.password ?? '';

  /** What a person sends to the API. */
  async function headersOf(email: string): Promise<Headers> {
    const answer = await server.post('/api/auth/login', { email, password: passwordOf(email) });
    return bearer(answer.body as { token: string });
  }

  async function keysOf(email: string): Promise<Listed[]> {
    const answer = await server.get('/api/v1/api-keys?limit=100&includeRevoked=true', await headersOf(email));
    return (answer.body as { data: Listed[] }).data;
  }

  const allKeys = async () =>
    (await Promise.all(['ada', 'elif', 'hana'].map((name) => keysOf(`${name}@example.com`)))).flat();

  async function count(table: string): Promise<number> {
    return Number((await server.services.db(table).count({ total: '*' }))[0]?.['total']);
  }

  it('has three tenants, eight people, one of them an operator, two in two tenants, and all can sign in', async () => {
    expect(await count('tenants')).to.equal(3);
    expect(told.people).to.have.length(8);
    expect(told.people.filter(({ operator }) => operator)).to.have.length(1);
    expect(told.people.filter(({ operator, places }) => !operator && places.length === 2)).to.have.length(2);
    for (const { email, password } of told.people) {
      expect((await server.post('/api/auth/login', { email, password })).status, email).to.equal(200);
    }
  });

  it('has sixty keys in every state, as it says and as the API counts them', async () => {
    const keys = await allKeys();
    expect(keys).to.have.length(60);
    const statuses: Record<string, number> = {};
    for (const { status } of keys) statuses[status] = (statuses[status] ?? 0) + 1;
    expect(told.statuses).to.deep.equal(statuses);
    for (const status of ['active', 'rotating', 'expired', 'revoked']) expect(statuses[status], status).to.be.above(1);
    const active = keys.filter(({ status }) => status === 'active');
    const soon = Date.now() + 7 * DAY_MS;
    const long = Date.now() - 90 * DAY_MS;
    const found = {
      expiring: active.filter(({ expiresAt }) => expiresAt !== null && Date.parse(expiresAt) < soon),
      endless: active.filter(({ expiresAt }) => expiresAt === null),
      neverUsed: active.filter(({ lastUsedAt }) => lastUsedAt === null),
      unused: active.filter(({ lastUsedAt }) => lastUsedAt !== null && Date.parse(lastUsedAt) < long),
      own: active.filter(({ owner }) => owner === 'user'),
      test: active.filter(({ environment }) => environment === 'test'),
    };
    for (const [state, ones] of Object.entries(found)) expect(ones.length, state).to.be.above(1);
  });

  it('has something for each notice above the list of keys', async () => {
    const visitor = await visitorOf('ada@example.com');
    const { text } = await visitor.get(pageOf(HARBOR, '/api-keys'));
    for (const attention of ['expiring', 'unused', 'endless', 'overscoped'])
      expect(text).to.include(`attention=${attention}`);
  });

  it('has rotations under way, with the old key still in use', async () => {
    const { db } = server.services;
    const rotating = (await allKeys()).filter(({ status }) => status === 'rotating');
    expect(rotating).to.have.length(3);
    for (const { id, successorKeyId, name } of rotating) {
      const [successor] = await db<{ id: string; created_at: number }>('api_keys').where({
        id: String(successorKeyId),
      });
      const since = db('api_key_usage')
        .where({ key_id: id })
        .where('created_at', '>', successor?.created_at ?? 0);
      expect(await since.first(), name).not.to.equal(undefined);
    }
  });

  it('keeps each request of a month, the hours of a year, and nothing that retention would have taken', async () => {
    const { db } = server.services;
    expect(await count('api_key_usage')).to.equal(20_000);
    const [raw] = await db('api_key_usage').min({ from: 'created_at' }).max({ to: 'created_at' });
    const [hours] = await db('api_key_usage_hours').min({ from: 'hour' }).max({ to: 'hour' });
    expect(Number(raw?.['from'])).to.be.above(Date.now() - 30 * DAY_MS - 60_000);
    expect(Number(hours?.['from'])).to.be.within(Date.now() - 366 * DAY_MS, Date.now() - 350 * DAY_MS);
    for (const last of [raw?.['to'], hours?.['to']])
      expect(Number(last)).to.be.within(Date.now() - (3 * DAY_MS) / 24, Date.now());
    const [month] = await db('api_key_usage_hours')
      .where('hour', '>=', Date.now() - 29 * DAY_MS)
      .sum({ ok: 'ok', denied: 'denied' });
    expect(Number(month?.['denied'])).to.be.above(50);
    expect(Number(month?.['ok'])).to.be.above(10 * Number(month?.['denied']));
  });

  it('knows of each scope of a key the day it was last used', async () => {
    const { db } = server.services;
    const day = db.raw(`max(hour - hour % ${DAY_MS}) as day`);
    const hours = db('api_key_usage_hours').whereNot({ scope: '' }).groupBy('key_id', 'scope');
    const told: unknown[] = await db('api_key_scope_uses').select('key_id', 'scope', 'day');
    const used = await hours.select<{ scope: string }[]>('key_id', 'scope', day);
    expect(told).to.have.deep.members(used.flatMap((use) => namesOf(use.scope).map((scope) => ({ ...use, scope }))));
  });

  it('used no key before it was made or after it ended, and none from outside documentation', async () => {
    const { db } = server.services;
    const wrong: unknown = await db('api_key_usage as u')
      .join('api_keys as k', 'k.id', 'u.key_id')
      .whereRaw(
        'u.created_at < k.created_at or u.created_at > coalesce(k.revoked_at, k.grace_ends_at, k.expires_at, u.created_at)',
      )
      .first('u.id');
    expect(wrong).to.equal(undefined);
    const addresses = await db<{ ip: string }>('audit_logs')
      .where('created_at', '<', begun)
      .whereNotNull('ip')
      .distinct('ip')
      .pluck('ip');
    for (const ip of addresses) expect(ip).to.match(/^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$|^2001:db8:/);
  });

  it('made every key with an id of its time, by which hygiene judges one that was never used', async () => {
    for (const { id, createdAt, name } of await allKeys()) {
      expect(parseInt(id.replaceAll('-', '').slice(0, 12), 16), name).to.equal(Date.parse(createdAt));
    }
  });

  it('wrote down what happened', async () => {
    const actions = await server.services.db<{ action: string }>('audit_logs').distinct('action').pluck('action');
    expect(actions).to.include.members([
      ...[
        'TENANT_CREATED',
        'USER_CREATED',
        'MEMBER_ADDED',
        'MEMBER_CHANGED',
        'LOGIN',
        'LOGIN_FAILED',
        'SETTINGS_CHANGED',
      ],
      ...[
        'API_KEY_CREATED',
        'API_KEY_USED',
        'API_KEY_UPDATED',
        'API_KEY_SCOPES_UPDATED',
        'API_KEY_ROTATED',
        'API_KEY_REVOKED',
      ],
      ...[
        'APP_INSTALLED',
        'APP_UNINSTALLED',
        'CHECKOUT_STARTED',
        'CHECKOUT_CONFIRMED',
        'TICKET_OPENED',
        'TICKET_UPDATED',
      ],
    ]);
  });

  it('prints keys that work', async () => {
    expect(told.workingKeys.length).to.be.above(1);
    for (const { key, name, scopes } of told.workingKeys) {
      const answer = await server.get('/api/v1/whoami', { 'x-api-key': key });
      expect(answer.status, name).to.equal(200);
      expect(answer.body).to.deep.include({ name, scopes });
    }
  });

  for (const [name, home] of [
    ['ada', pageOf(HARBOR, '/api-keys')],
    ['elif', pageOf({ slug: 'lumen-health' }, '/api-keys')],
    ['hana', pageOf({ slug: 'pico-studio' }, '/api-keys')],
    ['chloe', pageOf(HARBOR, '/routes')],
  ] as const) {
    // Ada's links lead to the same pages on either database; whose organisation they show depends on none.
    if (database.kind === 'mysql' && ['elif', 'hana'].includes(name)) continue;
    it(`shows ${name} every page that links lead to`, async function () {
      this.timeout(60_000);
      const visitor = await visitorOf(`${name}@example.com`);
      const seen = new Map<string, number>();
      const waiting: string[] = [home];
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
        const { status, text } = await visitor.get(path);
        expect(status, path).to.equal(200);
        expect(text, path).to.not.match(WITHOUT_ORGANISATION);
        for (const [, link = ''] of text.matchAll(/href="(\/admin[^"#]*)/g)) {
          const target = link.replaceAll('&amp;', '&');
          // The front of an organisation leads to its first page.
          if (/^\/admin\/org\/[^/]+$/.test(target)) continue;
          const kind = target.replaceAll(/[0-9a-f-]{36}|(?<==)[^&]*/g, '…');
          const times = seen.get(kind) ?? 0;
          if (times >= ALIKE || waiting.includes(target)) continue;
          seen.set(kind, times + 1);
          waiting.push(target);
        }
      }
      const sections = ['api-keys', 'usage', 'audit-logs', 'routes', 'marketplace', 'billing', 'settings'];
      const open = name === 'chloe' ? sections.slice(3, 5) : sections;
      for (const section of open)
        expect(
          [...seen.keys()].some((kind) => kind.startsWith(home.replace(/[^/]+$/, section))),
          section,
        ).to.equal(true);
    });
  }

  it('answers every GET of the API with it', async function () {
    this.timeout(60_000);
    for (const name of ['ada', 'elif', 'hana']) {
      const headers = await headersOf(`${name}@example.com`);
      const { table } = createRoutes(server.services);
      const gets = table.filter(
        ({ method, path, access }) => method === 'GET' && /^\/api\/v1\//.test(path) && isOfTenants(access),
      );
      expect(gets.length).to.be.above(30);
      for (const { path } of gets) {
        const [list = ''] = path.split('/:');
        const { data = [] } = path.includes(':')
          ? ((await server.get(list, headers)).body as { data?: { id: string }[] })
          : {};
        const paths = path.includes(':') ? data.slice(0, ALIKE).map(({ id }) => path.replace(/:\w+/, id)) : [path];
        for (const one of paths) expect((await server.get(one, headers)).status, one).to.equal(200);
      }
    }
  });

  it('refuses a database in use with one line, and changes nothing', async () => {
    const before = await Promise.all(['users', 'api_keys', 'audit_logs', 'api_key_usage'].map(count));
    stderr.length = 0;
    expect(await demo()).to.deep.equal({ code: 1, out: '' });
    expect(stderr).to.have.length(1);
    expect(stderr[0]).to.match(/^The demo fills an empty database only[^\n]+$/);
    expect(await Promise.all(['users', 'api_keys', 'audit_logs', 'api_key_usage'].map(count))).to.deep.equal(before);
  });

  it('takes no other size', async () => {
    stderr.length = 0;
    const out = await run(['demo', '--size', 'huge'], {
      env: { ...database.env(), JWT_SECRET },
      readInput: async () => '',
      write: () => undefined,
      complain: (text) => stderr.push(text),
    });
    expect(out).to.equal(2);
    expect(stderr).to.deep.equal(['--size: Must be one of full, small']);
  });

  async function visitorOf(email: string): Promise<Visitor> {
    const visitor = new Visitor(server);
    await visitor.signIn(email, passwordOf(email));
    return visitor;
  }
});

/** Whether somebody of a tenant may have it, who need be no operator. */
function isOfTenants(access: Access): boolean {
  return access.kind !== 'basic' && !(access.kind === 'scope' && isPlatformScope(access.scope));
}
