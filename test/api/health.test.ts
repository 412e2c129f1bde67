import { expect } from 'chai';
import { firstStart } from '../../app/firstStart.ts';
import { onDatabase, onEachDatabase } from '../support/databases.ts';
import { startServer, startServerUnmigrated, type TestServer } from '../support/server.ts';

onEachDatabase('health', (database) => {
  let server: TestServer;
  beforeEach(async () => (server = await startServer(database.env())));
  afterEach(() => server.stop());

  it('is 200 for everybody while the database answers and is current', async () => {
    const answer = await server.get('/api/health');
    expect(answer.status).to.equal(200);
    expect(answer.body).to.deep.equal({ status: 'ok', database: 'ok', migrations: 'current', journal: 'ok' });
    expect(answer.headers).to.have.property('content-type', 'application/json; charset=utf-8');
    expect(answer.headers).not.to.have.property('retry-after');
  });

  it('tries by one small write in seconds whether the database can be written, however often it is asked', async () => {
    let writes = 0;
    server.services.db.on('query', ({ sql }: { sql: string }) => {
      if (!/^select/i.test(sql)) writes++;
    });
    for (let i = 0; i < 20; i++) expect((await server.get('/api/health')).status).to.equal(200);
    expect(writes).to.equal(1);
  });

  it('is 503 while a step of migrating is still to be taken', async () => {
    await server.services.db('migrations').where({ name: 'create users' }).delete();
    const answer = await server.get('/api/health');
    expect(answer.status).to.equal(503);
    expect(answer.body).to.deep.equal({ status: 'unavailable', database: 'ok', migrations: 'pending', journal: 'ok' });
    expect(answer.headers).to.have.property('retry-after', '1');
  });

  it('is 503 while the database cannot be asked, and says nothing of why', async () => {
    await server.services.db.destroy();
    const answer = await server.get('/api/health');
    expect(answer.status).to.equal(503);
    expect(answer.body).to.deep.equal({
      status: 'unavailable',
      database: 'unreachable',
      migrations: 'unknown',
      journal: 'ok',
    });
    expect(answer.headers).to.have.property('retry-after', '1');
  });

  it('is 503 from the moment the process is told to stop, while connections are kept', async () => {
    server.services.readiness.stopping = true;
    const answer = await server.get('/api/health');
    expect(answer.status).to.equal(503);
    expect(answer.body).to.include({ status: 'stopping', database: 'ok' });
    expect(answer.headers).to.include({ 'retry-after': '1', connection: 'keep-alive' });
  });

  it('of the process alone is 200 whatever the database does', async () => {
    server.services.readiness.stopping = true;
    await server.services.db.destroy();
    const answer = await server.get('/api/health/live');
    expect(answer.status).to.equal(200);
    expect(answer.body).to.deep.equal({ status: 'ok' });
  });
});

onEachDatabase('health of a first start that names its owner', (database) => {
  const OWNER = { OWNER_EMAIL: 'ann@acme.example', OWNER_PASSWORD: 'correct horse battery', TENANT_NAME: 'Acme' };
  let server: TestServer;
  beforeEach(async () => (server = await startServer(database.env(), OWNER)));
  afterEach(() => server.stop());

  it('is 503 until that owner can sign in, and 200 from then on', async () => {
    const login = async () =>
      server.post('/api/auth/login', { email: OWNER.OWNER_EMAIL, password: OWNER.OWNER_PASSWORD });
    const before = await server.get('/api/health');
    expect([before.status, before.headers['retry-after'], (await login()).status]).to.deep.equal([503, '1', 401]);
    expect(before.body).to.include({ status: 'unavailable', database: 'ok', migrations: 'current', owner: 'pending' });
    await firstStart(server.services);
    const after = await server.get('/api/health');
    expect([after.status, (await login()).status]).to.deep.equal([200, 200]);
    expect(after.body).to.include({ status: 'ok', owner: 'ready' });
  });

  it('is 200 at once where somebody is set up already', async () => {
    expect((await server.get('/api/health')).status).to.equal(200);
  });
});

onDatabase('mysql', 'health', (database) => {
  it('is 503 until the database is migrated', async () => {
    const server = await startServerUnmigrated(database.env());
    const answer = await server.get('/api/health');
    await server.stop();
    expect(answer.status).to.equal(503);
    expect(answer.body).to.deep.equal({ status: 'unavailable', database: 'ok', migrations: 'pending', journal: 'ok' });
  });

  it('is asked of the database once for several who come together', async () => {
    const server = await startServer(database.env());
    let questions = 0;
    server.services.db.on('query', () => questions++);
    const answers = await Promise.all(Array.from({ length: 50 }, async () => server.get('/api/health')));
    await server.stop();
    expect(answers.every(({ status }) => status === 200)).to.equal(true);
    expect(questions).to.be.lessThan(50);
  });
});
