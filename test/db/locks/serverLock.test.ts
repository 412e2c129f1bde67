import { expect } from 'chai';
import { readConfig } from '../../../app/config.ts';
import { connect, type Db } from '../../../db/connection/connect.ts';
import { tryLockServer } from '../../../db/locks/serverLock.ts';
import { onDatabase } from '../../support/databases.ts';
import { JWT_SECRET } from '../../support/server.ts';

onDatabase('mysql', "the server's lock", (database) => {
  let mine: Db;
  let theirs: Db;
  let name: string;
  beforeEach(() => {
    const config = readConfig({ JWT_SECRET, ...database.env() }).database;
    mine = connect(config);
    theirs = connect(config);
    name = `latchkey test ${config.kind === 'mysql' ? config.database : ''}`;
  });
  afterEach(async () => {
    await mine.destroy();
    await theirs.destroy();
  });

  it('is had by one at a time, and by the next when it is given back', async () => {
    const unlock = await tryLockServer(mine, name);
    expect(await tryLockServer(theirs, name)).to.equal(undefined);
    expect(await tryLockServer(mine, name)).to.equal(undefined);
    await unlock?.();
    const next = await tryLockServer(theirs, name);
    expect(next).to.be.a('function');
    await next?.();
  });

  it('is waited for as long as that is wanted', async () => {
    const unlock = await tryLockServer(mine, name);
    const waiting = tryLockServer(theirs, name, 1);
    const blocked = mine('information_schema.processlist').where({ state: 'User lock' });
    while ((await blocked.clone().select('id')).length === 0) continue;
    await unlock?.();
    const next = await waiting;
    expect(next).to.be.a('function');
    await next?.();
  });

  it('goes with its connection, which holds nothing up after that', async () => {
    const unlock = await tryLockServer(mine, name);
    const answer: unknown = await theirs.raw('select is_used_lock(?) as id', [name]);
    const [[holder]] = answer as [[{ id: number }]];
    await theirs.raw('kill ?', [holder.id]);
    const next = await tryLockServer(theirs, name, 1);
    expect(next).to.be.a('function');
    await next?.();
    const failure = await unlock?.().catch((error: unknown) => error);
    expect(failure).to.be.an('error');
    await mine.destroy();
  });
});
