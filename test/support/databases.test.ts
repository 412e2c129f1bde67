import { readdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { onDatabase, onEachDatabase, type DatabaseEnvironment, type TestDatabase } from './databases.ts';

const seen: DatabaseEnvironment[] = [];
const leaked: TestDatabase[] = [];

onEachDatabase('a suite with a database', (database) => {
  let early: unknown;
  try {
    database.env();
  } catch (error) {
    early = error;
  }
  before(() => {
    seen.push(database.env());
    leaked.push(database);
  });

  it('is told so when it asks for its database before it runs', () => {
    expect(early).to.be.an('error').with.property('message').that.includes('only while its suite runs');
  });

  it('has an empty data folder that can be written to', async () => {
    const { DATA_DIR } = database.env();
    expect(await readdir(DATA_DIR)).to.deep.equal([]);
    await writeFile(join(DATA_DIR, 'file'), 'text');
  });

  it('is told of the same database each time', () => {
    expect(database.env()).to.deep.equal(seen.at(-1));
  });

  after('still has its database in its last hook', () => {
    expect(existsSync(database.env().DATA_DIR)).to.equal(true);
  });
});

onDatabase('sqlite', 'a suite about SQLite', (database) => {
  it('is given no DATABASE_URL, so that the application takes its file', () => {
    seen.push(database.env());
    expect(database.kind).to.equal('sqlite');
    expect(database.env()).to.have.all.keys('DATA_DIR');
  });
});

onDatabase('mysql', 'a suite about MySQL', (database) => {
  let connection: Connection;
  before(async () => {
    seen.push(database.env());
    connection = await createConnection(database.env().DATABASE_URL ?? '');
  });
  after(() => connection.end());

  it('is given an empty schema that speaks utf8mb4', async () => {
    const [tables] = await connection.query<RowDataPacket[]>('SHOW TABLES');
    expect(tables).to.deep.equal([]);
    const [[charset]] = await connection.query<RowDataPacket[]>('SELECT @@character_set_database AS name');
    expect(charset?.name).to.equal('utf8mb4');
  });

  it('may create, fill and read tables', async () => {
    await connection.query('CREATE TABLE word (text VARCHAR(10) PRIMARY KEY)');
    await connection.query("INSERT INTO word VALUES ('🔑')");
    const [rows] = await connection.query<RowDataPacket[]>('SELECT text FROM word');
    expect(rows).to.deep.equal([{ text: '🔑' }]);
  });
});

describe('after suites with a database', () => {
  it('no two of them had a folder or a schema in common', () => {
    expect(seen).to.have.length(4);
    expect(new Set(seen.map((env) => env.DATA_DIR))).to.have.property('size', 4);
    const urls = seen.flatMap((env) => env.DATABASE_URL ?? []);
    expect(new Set(urls)).to.have.property('size', 2);
  });

  it('their folders are gone', () => {
    expect(seen.map((env) => env.DATA_DIR).filter((folder) => existsSync(folder))).to.deep.equal([]);
  });

  it('their schemas are gone', async () => {
    const connection = await createConnection(process.env.TEST_DATABASE_URL ?? '');
    const [rows] = await connection.query<RowDataPacket[]>(
      'SELECT schema_name AS name FROM information_schema.schemata',
    );
    await connection.end();
    const left = rows.map((row) => String(row.name));
    const used = seen.flatMap((env) => env.DATABASE_URL ?? []).map((url) => new URL(url).pathname.slice(1));
    expect(used).to.have.length(2);
    expect(used.filter((name) => left.includes(name))).to.deep.equal([]);
  });

  it('a late question for the database is refused', () => {
    expect(leaked).to.have.length(2);
    for (const database of leaked) expect(() => database.env()).to.throw('only while its suite runs');
  });
});
