import { LRUCache } from 'lru-cache';
import type { Db } from '../../db/connect.ts';
import { faultCode, isUnavailable } from '../../db/faults.ts';
import type { Log } from '../log.ts';
import { Journal, type Segment } from './journal.ts';
import { eventOf, lineOf, type UsageEvent } from './usageEvent.ts';
import { writeUsage } from './writeUsage.ts';

export type { UsageEvent } from './usageEvent.ts';

export interface UsageSettings {
  /** How long an event may wait for others. */
  flushMs: number;
  /** How many are written in one transaction. */
  batchSize: number;
  /** How many are kept while the database takes none. */
  capacity: number;
  /** How long a reader waits for what was just used to be counted. */
  patienceMs: number;
}

const SETTINGS: UsageSettings = {
  flushMs: 500,
  batchSize: 1_000,
  capacity: 1_000_000,
  patienceMs: 2_000,
};
const MOST_REFUSALS = 3;

/**
 * Counts what keys are used for. An event is in the journal before its request is answered, and in the database soon
 * after; a process that is killed, or a database that is away, loses none of them.
 */
export class Usage {
  /** Since the process began; lost ones were too many to keep, or refused by a working database. */
  readonly counts = { recorded: 0, written: 0, lost: 0 };
  readonly #db: Db;
  readonly #log: Pick<Log, 'warn' | 'error'>;
  readonly #dataDir: string;
  readonly #settings: UsageSettings;
  readonly #audited = new LRUCache<string, true>({ max: 50_000 });
  #opened: Journal | undefined;
  /** How often a database that was there would not take the oldest segment. */
  #refusals = 0;
  /** Whether the last attempt failed: then only the clock starts the next one. */
  #failed = false;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #closed = false;

  constructor(db: Db, log: Pick<Log, 'warn' | 'error'>, dataDir: string, settings: Partial<UsageSettings> = {}) {
    this.#db = db;
    this.#log = log;
    this.#dataDir = dataDir;
    this.#settings = { ...SETTINGS, ...settings };
  }

  /** How many events wait to be counted. */
  get backlog(): number {
    return this.#opened?.backlog ?? 0;
  }

  /** Takes note of a request; resolves when not even a kill can lose it, and never rejects. */
  async record(use: UsageEvent): Promise<void> {
    try {
      this.counts.recorded++;
      const written = this.#journal().append(lineOf(use));
      this.#schedule();
      await written;
      if (this.backlog >= this.#settings.batchSize && !this.#running && !this.#failed) void this.#flushAll();
    } catch (error) {
      this.counts.lost++;
      this.#log.warn({ fault: faultCode(error) }, 'a use of a key could not be noted');
    }
  }

  /** Resolves once all that was recorded before is counted, or could not be in time; never rejects. */
  async flush(): Promise<void> {
    const patience = new AbortController();
    await Promise.race([this.#flushAll(), expiry(this.#settings.patienceMs, patience.signal)]);
    patience.abort();
  }

  /** Counts what dead processes left in the data folder, each segment once even if it was counted before they died. */
  async recover(): Promise<void> {
    for (const { segments, release } of this.#journal().orphans()) {
      try {
        for (const segment of segments) {
          await this.#count(segment);
          this.#journal().done(segment);
        }
      } catch (error) {
        this.#log.warn({ fault: faultCode(error) }, 'uses of keys of an ended process could not be counted yet');
      } finally {
        release();
      }
    }
  }

  /** Counts what is left and stops; what the database does not take now stays for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.flush();
    if (this.backlog > 0)
      this.#log.warn({ waiting: this.backlog }, 'uses of keys are left for the next start to count');
    this.#opened?.close();
    this.#opened = undefined;
  }

  #journal(): Journal {
    return (this.#opened ??= new Journal(this.#dataDir, this.#settings.batchSize));
  }

  async #flushAll(): Promise<void> {
    if (!this.#running) {
      this.#running = this.#countAll().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    // The one under way may have passed over what was recorded since: the next one will not.
    return (this.#next ??= this.#running.then(async () => {
      this.#next = undefined;
      return this.#flushAll();
    }));
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#flushAll();
    }, this.#settings.flushMs).unref();
  }

  async #countAll(): Promise<void> {
    const journal = this.#opened;
    if (!journal) return;
    try {
      for (let segment = journal.next(); segment; segment = journal.next()) {
        await this.#count(segment);
        journal.done(segment);
        this.#refusals = 0;
      }
      this.#failed = false;
    } catch (error) {
      this.#failed = true;
      this.#log.warn({ fault: faultCode(error), waiting: journal.backlog }, 'uses of keys could not be counted yet');
      this.#giveUpOnRefused(journal, error);
      this.#shedOldest(journal);
      this.#schedule();
    }
  }

  async #count(segment: Segment): Promise<void> {
    const { processId, sequence } = segment;
    const lines = this.#journal().read(segment);
    const events = lines.flatMap((line) => eventOf(line) ?? []);
    await writeUsage(this.#db, { processId, sequence, events }, Date.now(), this.#audited);
    this.counts.written += events.length;
    this.counts.lost += lines.length - events.length;
  }

  /** A segment that a working database refuses again and again would hold up all that come after it. */
  #giveUpOnRefused(journal: Journal, error: unknown): void {
    if (isUnavailable(error)) return;
    this.#refusals++;
    const segment = journal.next();
    if (this.#refusals < MOST_REFUSALS || !segment) return;
    this.#log.error({ fault: faultCode(error), lost: segment.lines }, 'uses of keys were refused and lost');
    this.#lose(journal, segment);
  }

  #shedOldest(journal: Journal): void {
    let shed = 0;
    for (let oldest = journal.next(); oldest && journal.backlog > this.#settings.capacity; oldest = journal.next()) {
      shed += oldest.lines;
      this.#lose(journal, oldest);
    }
    if (shed > 0)
      this.#log.warn({ shed }, 'uses of keys were dropped, the oldest first: too many could not be counted');
  }

  #lose(journal: Journal, segment: Segment): void {
    this.#refusals = 0;
    this.counts.lost += segment.lines;
    journal.done(segment);
  }
}

async function expiry(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
