import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { readConfig } from '../../../app/config.ts';
import { newId } from '../../../app/domain/id.ts';
import { connect, type Db } from '../../../db/connection/connect.ts';
import { isDuplicate } from '../../../db/connection/faults.ts';
import { addIndex, createTable } from '../../../db/migrations/steps.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { JWT_SECRET } from '../../support/server.ts';

const STEPS = [
  createTable('things', ({ table, id, ascii, time, hash }) => {
    id('id').primary();
    ascii('slug', 63);
    table.string('name', 100);
    table.text('document');
    time('at');
    hash('hash');
    table.boolean('flag');
    table.double('share');
  }),
  addIndex('things', ['slug'], { unique: true }),
  addIndex('things', ['hash'], { unique: true }),
];

interface Thing {
  id: string;
  slug: string | null;
  name: string | null;
  document: string | null;
  at: number | null;
  hash: Uint8Array | null;
  flag: unknown;
  share: number | null;
}

onEachDatabase('a value', (database) => {
  let db: Db;
  before(async () => {
    db = connect(readConfig({ JWT_SECRET, ...database.env() }).database);
    for (const step of STEPS) await step.up(db);
  });
  afterEach(() => db('things').delete());
  after(() => db.destroy());

  const things = () => db<Thing>('things');

  async function returned(thing: Partial<Thing>): Promise<Thing> {
    const id = newId();
    await things().insert({ id, ...thing });
    const row = await things().where({ id }).first();
    if (!row) throw new Error('not found again');
    return row;
  }

  for (const at of [
    Date.UTC(2026, 1, 28, 23, 59, 59, 1),
    0,
    -1,
    1,
    Date.UTC(9999, 11, 31, 23, 59, 59, 999),
    Number.MAX_SAFE_INTEGER,
  ]) {
    it(`that is the time ${at} comes back to the millisecond, as a number`, async () => {
      expect((await returned({ at })).at).to.equal(at);
    });
  }

  it('that is a document comes back letter by letter', async () => {
    const document = JSON.stringify({ 'a"b': ["it's", 'back\\slash', '%_', 'é🔑漢', '\u0000', { n: 1e-7 }] });
    expect((await returned({ document })).document).to.equal(document);
  });

  it('that is a name comes back letter by letter, trailing space and all', async () => {
    const name = `Zoë "O'Neill" 🔑 \\ ? :x  `;
    expect((await returned({ name })).name).to.equal(name);
  });

  it('that is a hash comes back byte by byte, as a Buffer', async () => {
    const edges = Buffer.concat([
      Buffer.from([0, 255, 0x27, 0x5c, 0x22, 10, 13, 26]),
      randomBytes(22),
      Buffer.from([32, 0]),
    ]);
    const { hash } = await returned({ hash: edges });
    expect(hash).to.be.instanceOf(Buffer);
    expect(hash?.length).to.equal(32);
    expect(edges.equals(hash ?? Buffer.alloc(0))).to.equal(true);
  });

  it('that is a fraction or a flag comes back as what it was', async () => {
    const thing = await returned({ share: 0.1, flag: true });
    expect(thing.share).to.equal(0.1);
    expect(thing.flag).to.equal(1);
  });

  it('that is absent comes back as null', async () => {
    const { slug, name, document, at, hash } = await returned({});
    expect({ slug, name, document, at, hash }).to.deep.equal({
      slug: null,
      name: null,
      document: null,
      at: null,
      hash: null,
    });
  });

  describe('in a column of names', () => {
    const same = 'acme';
    const others = ['ACME', 'Acme', 'acmé', 'acme ', 'acme  ', ' acme', 'acme\t', 'ａcme', 'acme\u200b', ''];

    it('is found by its own bytes and by no others', async () => {
      await things().insert({ id: newId(), slug: same });
      expect(await things().where({ slug: same })).to.have.length(1);
      for (const slug of others) {
        expect(await things().where({ slug }), JSON.stringify(slug)).to.deep.equal([]);
        expect(await things().whereIn('slug', [slug, 'globex']), JSON.stringify(slug)).to.deep.equal([]);
      }
    });

    it('leaves room for all that differ from it in a byte', async () => {
      for (const slug of [same, ...others]) await things().insert({ id: newId(), slug });
      for (const slug of [same, ...others]) {
        expect((await things().where({ slug })).map((thing) => thing.slug)).to.deep.equal([slug]);
      }
    });

    it('is taken once', async () => {
      await things().insert({ id: newId(), slug: same });
      const error: unknown = await things()
        .insert({ id: newId(), slug: same })
        .then(
          () => undefined,
          (refusal: unknown) => refusal,
        );
      expect(isDuplicate(error)).to.equal(true);
    });

    it('sorts by its bytes', async () => {
      for (const slug of ['b', 'a', 'B', 'a-', 'a.', 'é', 'ab', 'a ']) await things().insert({ id: newId(), slug });
      const sorted = await things().orderBy('slug').select('slug');
      expect(sorted.map(({ slug }) => slug)).to.deep.equal(['B', 'a', 'a ', 'a-', 'a.', 'ab', 'b', 'é']);
    });
  });

  it('of a hash is found by its own bytes and by no others', async () => {
    const hash = randomBytes(32);
    const other = Buffer.from(hash);
    other[31] = (other[31] ?? 0) ^ 1;
    await things().insert({ id: newId(), hash });
    expect(await things().where({ hash })).to.have.length(1);
    expect(await things().where({ hash: other })).to.deep.equal([]);
    expect(await things().where({ hash: Buffer.alloc(0) })).to.deep.equal([]);
  });

  it('with a NUL is never taken for what stands before it', async () => {
    await things().insert({ id: newId(), slug: 'acme' });
    const found: unknown[] = await things()
      .where({ slug: 'acme\0' })
      .then(
        (rows) => rows,
        () => [],
      );
    expect(found).to.deep.equal([]);
  });
});
