import { expect } from 'chai';
import { hashKey } from '../../app/domain/token.ts';
import { createRoutes } from '../../app/routes.ts';
import { as, PASSWORD } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { Answer } from '../support/http.ts';
import { JWT_SECRET } from '../support/server.ts';
import { useServer } from '../support/useServer.ts';

onEachDatabase('the text of a key', (database) => {
  const { server, acme, alice } = useServer(database);
  const keys: string[] = [];
  const answers: Answer[] = [];

  before(async function () {
    this.timeout(60_000);
    await live();
  });

  it('is answered once, at creation and at rotation, and never again', () => {
    expect(keys).to.have.length(2);
    for (const { text } of answers) expectNone(text);
  });

  it('is in no row of any table, whole or hashed in the open', async () => {
    const { db } = server.services;
    const dump = JSON.stringify(await everything());
    expectNone(dump);
    expect(dump).to.include('deploy key');
    const stored = (await db('api_keys').pluck('key_hash')) as Buffer[];
    expect(stored.map((hash) => hash.toString('hex'))).to.have.members(keys.map((key) => hashKey(key).toString('hex')));
  });

  it('is in no line of the log', () => {
    expect(server.log.length).to.be.greaterThan(10);
    expectNone(server.log.join('\n'));
  });

  /** A life with every way of showing a secret: the right ones, and the mistakes people make. */
  async function live(): Promise<void> {
    const headers = as(alice);
    const create = async () =>
      server.post('/api/api-keys', { name: 'deploy key', scopes: ['*'] }, { ...headers, 'Idempotency-Key': 'create' });
    const { id, key } = (await create()).body as { id: string; key: string };
    const rotate = async () =>
      server.post(
        `/api/api-keys/${id}/rotate`,
        { gracePeriodSeconds: 60 },
        { ...headers, 'Idempotency-Key': 'rotate' },
      );
    const rotated = (await rotate()).body;
    keys.push(key, (rotated as { key: string }).key);
    keep(await create());
    keep(await rotate());

    keep(await server.post('/api/auth/login', { email: alice.email, password: PASSWORD }));
    keep(await server.post('/api/auth/login', { email: alice.email, password: `${PASSWORD}!` }));
    for (const secret of keys) {
      for (const { method, path } of createRoutes(server.services).table) {
        const address = path.replace(/:\w+/g, encodeURIComponent(secret));
        const at = { 'x-tenant-id': acme.id };
        if (method === 'GET') {
          keep(await server.get(address, { ...at, 'x-api-key': secret }));
          // A page leads back to the address it was asked at, so only the API is asked at one with a secret in it.
          if (path.startsWith('/api/'))
            keep(await server.get(`${address}?limit=${secret}&${secret}=1`, { ...at, 'x-api-key': secret }));
        }
        keep(await server.send(method, address, { headers: { ...at, Authorization: `Bearer ${secret}x` } }));
        keep(await server.send(method, address, { headers: headers, json: { [secret]: secret, name: [secret] } }));
      }
      keep(await server.get(`/${secret}`, { Accept: 'text/html' }));
      keep(await server.get('/api/v1/whoami', { 'x-tenant-id': secret, 'x-api-key': secret, 'x-request-id': secret }));
    }
    await server.services.usage.flush();
  }

  function keep(answer: Answer): void {
    answers.push(answer);
  }

  function expectNone(text: string): void {
    for (const secret of [...keys, PASSWORD, JWT_SECRET]) expect(text).not.to.include(secret);
    for (const key of keys) {
      expect(text).not.to.include(hashKey(key).toString('hex'));
      expect(text).not.to.include(hashKey(key).toString('base64'));
    }
  }

  async function everything(): Promise<unknown[]> {
    const { db } = server.services;
    const names =
      database.kind === 'sqlite'
        ? await db('sqlite_master').where({ type: 'table' }).pluck<string[]>('name')
        : await db('information_schema.tables')
            .where('table_schema', db.raw('database()'))
            .pluck<string[]>('TABLE_NAME');
    return Promise.all(names.map(async (name) => ({ name, rows: (await db(name).select()) as unknown[] })));
  }
});
