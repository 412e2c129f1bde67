import { debounce } from '../../app/timing.ts';
import type { DatabaseConfig } from './settings.ts';
import { SQLITE_DIALECT, type RawDb, type Session, type SqlValue, type TransactionalDb } from './rawDb.ts';

interface Driver {
  dialect: string;
  begin: string;
  open(): Promise<Session>;
}

/** How long the connection stays open while nobody uses it. */
const IDLE_MS = 30_000;

/**
 * One connection that is given statements as texts, for a thread that would need tens of megabytes for Knex. Who comes
 * while another uses it waits. It is opened when it is first needed, and again after a fault that closed it.
 */
export class OneConnection implements TransactionalDb {
  readonly client: { readonly dialect: string };
  readonly #driver: Driver;
  #session: Session | undefined;
  /** Ends with the last that waits for the connection; never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #closeLater = debounce(() => void this.#inTurn(async () => this.#close()));

  constructor(driver: Driver) {
    this.#driver = driver;
    this.client = { dialect: driver.dialect };
  }

  async raw(sql: string, values: readonly SqlValue[]): Promise<unknown> {
    return this.#inTurn(async (session) => session.run(sql, values));
  }

  async runForEach(sql: string, rows: readonly (readonly SqlValue[])[]): Promise<void> {
    await this.#inTurn(async (session) => session.runForEach?.(sql, rows));
  }

  async transaction<T>(work: (trx: RawDb) => Promise<T>): Promise<T> {
    return this.#inTurn(async (session) => {
      await session.run(this.#driver.begin, []);
      try {
        const result = await work({
          client: this.client,
          raw: async (sql, values) => session.run(sql, values),
          runForEach: async (sql, rows) => session.runForEach?.(sql, rows),
        });
        await session.run('COMMIT', []);
        return result;
      } catch (error) {
        await session.rollBack();
        throw error;
      }
    });
  }

  async destroy(): Promise<void> {
    await this.#last;
    await this.#close();
  }

  async #inTurn<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => work(await this.#opened()));
    this.#last = result.then(
      () => this.#closeLater.schedule(IDLE_MS),
      () => this.#closeLater.schedule(IDLE_MS),
    );
    return result;
  }

  async #opened(): Promise<Session> {
    this.#closeLater.cancel();
    if (this.#session?.isUsable() === false) await this.#close();
    return (this.#session ??= await this.#driver.open());
  }

  async #close(): Promise<void> {
    this.#closeLater.cancel();
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }
}

/** A connection to either database, whose driver alone is loaded; nothing is sent before the first statement. */
export function openOneConnection(config: DatabaseConfig): OneConnection {
  return new OneConnection(
    config.kind === 'sqlite'
      ? {
          dialect: SQLITE_DIALECT,
          // A deferred transaction that writes late cannot be retried half-way.
          begin: 'BEGIN IMMEDIATE',
          open: async () => (await import('./sqliteSession.ts')).openSqliteSession(config.file),
        }
      : {
          dialect: 'mysql',
          begin: 'BEGIN',
          open: async () => (await import('./mysqlSession.ts')).openMysqlSession(config),
        },
  );
}
