import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import path from 'node:path';
import { createConnection, type Connection } from 'mysql2/promise';
import { mintKey } from '../../app/domain/token.ts';
import { ROOT } from '../../app/root.ts';
import { openSqlite } from '../../db/connection/sqlite.ts';
import { startPrivateServer, type TestServer } from '../testDatabase.ts';
import type { Build } from './builds.ts';
import { cpuSeconds, DATABASE_CORES, pin, start, startServer, SERVER_CORE, type ServerUnderTest } from './children.ts';
import { zipfList } from './requests.ts';
import type { Order } from './seed.ts';
import type { Place } from './sql.ts';

export type Kind = 'MariaDB' | 'SQLite';
export const KINDS: Kind[] = ['MariaDB', 'SQLite'];
export const JWT_SECRET = 'a secret of the bench, long enough to sign with';

/** Everything is counted, and nothing is refused. */
const NO_LIMIT = '999999999/60';
const USED_KEYS = 10_000;
/** How many lines the list of keys has in which few come often. */
const ZIPF_LINES = 100_000;
const VICTIMS = 400;
const MB = 1024 * 1024;

/** One database that is filled for a part of the bench. */
export interface Store {
  kind: Kind;
  keys: number;
  place: Place;
  /** What points its server at it. */
  env: Record<string, string>;
  keysFile: string;
  /** The same keys, the often used ones many times. */
  zipfFile: string;
  /** Every key, where each has a text. */
  everyFile?: string;
  victimsFile: string;
  /** The one key that may ask about all others. */
  callerFile: string;
}

/** The databases of one run, below one folder, and the servers that are started on them. */
export class Stores {
  readonly folder: string;
  readonly #mariadb: TestServer;
  readonly #url: URL;
  #observer: Connection | undefined;

  private constructor(folder: string, mariadb: TestServer) {
    this.folder = folder;
    this.#mariadb = mariadb;
    this.#url = new URL(mariadb.url);
  }

  static async open(folder: string): Promise<Stores> {
    const mariadb = await startPrivateServer();
    const stores = new Stores(folder, mariadb);
    await stores.#makeRoom();
    return stores;
  }

  /** As a database server of this size would be set up, since the defaults are for a very small one. */
  async #makeRoom(): Promise<void> {
    const pool = Math.min(4096, Math.floor(totalmem() / MB / 4));
    for (const setting of [
      `innodb_buffer_pool_size = ${pool * MB}`,
      `innodb_log_file_size = ${1024 * MB}`,
      `innodb_redo_log_capacity = ${1024 * MB}`,
      'innodb_max_dirty_pages_pct = 99',
    ]) {
      // Each server knows one of the two names of the log's size.
      await this.query(`set global ${setting}`).catch(() => undefined);
    }
  }

  async query<Row>(statement: string, schema = ''): Promise<Row[]> {
    const connection = await createConnection({ uri: this.#schemaUrl(schema) });
    try {
      const [rows] = await connection.query(statement);
      return rows as Row[];
    } finally {
      await connection.end();
    }
  }

  /** Makes the place for a store; `fill` fills it. */
  async store(kind: Kind, keys: number, name: string, { everyKey = false } = {}): Promise<Store> {
    const folder = path.join(this.folder, `${name}-${kind}`);
    await mkdir(folder);
    const place = await this.#place(kind, name, path.join(folder, 'latchkey.db'));
    const env = {
      DATA_DIR: folder,
      HOST: '127.0.0.1',
      JWT_SECRET,
      LOG_LEVEL: 'info',
      KEY_LIMIT: NO_LIMIT,
      ADDRESS_LIMIT: NO_LIMIT,
      LOGIN_LIMIT: NO_LIMIT,
      ...('url' in place && { DATABASE_URL: place.url }),
    };
    return { kind, keys, place, env, ...(await this.#keyFiles(keys, everyKey)) };
  }

  /** The same for Better Auth, whose own tool makes its schema. */
  async betterAuthStore(kind: Kind, keys: number, name: string): Promise<Store> {
    const place = await this.#place(kind, name, path.join(this.folder, `${name}.db`));
    const env = placeEnv(place);
    await this.runToEnd('scripts/bench/betterAuth.js', env);
    return { kind, keys, place, env, ...(await this.#keyFiles(keys)) };
  }

  async #keyFiles(
    keys: number,
    everyKey = false,
  ): Promise<Pick<Store, 'keysFile' | 'zipfFile' | 'everyFile' | 'victimsFile' | 'callerFile'>> {
    const minted = await this.#mint(`keys-${keys}.txt`, everyKey ? keys : Math.min(keys, USED_KEYS));
    const used = spread((await readFile(minted, 'utf8')).split('\n'), USED_KEYS);
    const keysFile = path.join(this.folder, `used-${keys}.txt`);
    await writeFile(keysFile, used.join('\n'));
    const zipfFile = path.join(this.folder, `zipf-${keys}.txt`);
    await writeFile(zipfFile, zipfList(used, ZIPF_LINES).join('\n'));
    return {
      keysFile,
      zipfFile,
      ...(everyKey && { everyFile: minted }),
      victimsFile: await this.#mint('victims.txt', VICTIMS),
      callerFile: await this.#mint('caller.txt', 1),
    };
  }

  async #place(kind: Kind, name: string, file: string): Promise<Place> {
    if (kind === 'SQLite') return { file };
    await this.query(`create database ${name} character set utf8mb4`);
    return { url: this.#schemaUrl(name) };
  }

  #schemaUrl(schema: string): string {
    const url = new URL(this.#url);
    url.pathname = schema;
    return url.href;
  }

  /** Keys of the same number are the same everywhere. */
  async #mint(name: string, count: number): Promise<string> {
    const file = path.join(this.folder, name);
    const keys = Array.from({ length: count }, () => mintKey({ prefix: 'fsk', format: 'base62' }, 'live').key);
    await writeFile(file, keys.join('\n'), { flag: 'wx' }).catch(() => undefined);
    return file;
  }

  /** Fills databases side by side: each list of orders is one program. */
  async fill(programs: Order[][]): Promise<void> {
    await Promise.all(
      programs.map(async (orders) => this.runToEnd('dist/scripts/bench/seed.js', { ORDERS: JSON.stringify(orders) })),
    );
  }

  /** How many requests a Latchkey has written into its usage log. */
  async countedUses({ place }: Store): Promise<number> {
    const question = 'select count(*) as uses from api_key_usage';
    if ('url' in place) {
      const [row] = await this.query<{ uses: string }>(question, new URL(place.url).pathname.slice(1));
      return Number(row?.uses);
    }
    const connection = openSqlite(place.file);
    const row = connection.prepare(question).get() as { uses: number };
    connection.close();
    return row.uses;
  }

  /** Keeps MariaDB off the core of the servers under test, from when the filling is done. */
  pinDatabase(): void {
    if (this.#mariadb.pid !== undefined) pin(this.#mariadb.pid, DATABASE_CORES);
  }

  /** How many statements MariaDB has been sent so far, this one included. */
  async statements(): Promise<number> {
    this.#observer ??= await createConnection({ uri: this.#schemaUrl('') });
    const [rows] = await this.#observer.query("show global status like 'Questions'");
    return Number((rows as { Value: string }[])[0]?.Value);
  }

  /** Processor time that MariaDB used so far. */
  databaseCpuSeconds(): number {
    return cpuSeconds(this.#mariadb.pid);
  }

  async startServer(
    file: string,
    env: Record<string, string>,
    { root = ROOT, node, args = [] }: { root?: string; node?: string; args?: readonly string[] } = {},
  ): Promise<ServerUnderTest> {
    return startServer({ file: path.join(root, file), env, node, args, core: SERVER_CORE, log: this.#logOf(file) });
  }

  /** Makes the tables as a build has them. */
  async migrate(store: Store, { root }: Build): Promise<void> {
    await this.runToEnd('dist/scripts/admin.js', store.env, { root, args: ['migrate'] });
  }

  async runToEnd(
    file: string,
    env: Record<string, string>,
    { root = ROOT, args = [] }: { root?: string; args?: readonly string[] } = {},
  ): Promise<void> {
    const log = this.#logOf(file);
    const child = start({ file: path.join(root, file), after: args, env, log });
    const [code] = (await once(child.process, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`${file} failed:\n${(await readFile(log, 'utf8')).slice(-2_000)}`);
  }

  /** A log is really written, as in production: to a file, and not thrown away. */
  #logOf(file: string): string {
    return path.join(this.folder, `${path.basename(file, '.js')}.log`);
  }

  async close(): Promise<void> {
    this.#observer?.destroy();
    await this.#mariadb.stop();
  }
}

/** At most so many of a list, evenly spread over it. */
function spread(list: readonly string[], most: number): string[] {
  const stride = Math.max(1, list.length / most);
  return Array.from({ length: Math.min(list.length, most) }, (_, index) => list[Math.floor(index * stride)] ?? '');
}

/** What the other servers under test take the place from. */
export function placeEnv(place: Place): Record<string, string> {
  return 'url' in place ? { DATABASE_URL: place.url } : { SQLITE_FILE: place.file };
}
