import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Db } from '../../db/connect.ts';
import { faultCode, isUnavailable } from '../../db/faults.ts';
import type { Log } from '../log.ts';
import { Journal, type Segment } from './journal.ts';
import { Tally } from './tally.ts';
import { lineOf, usesOf, type UsageEvent } from './usageEvent.ts';
import { UsageWriter } from './usageWriter.ts';

export type { UsageEvent } from './usageEvent.ts';

export interface UsageSettings {
  /** How long an event may wait for others. */
  flushMs: number;
  /** How many are written at a time. */
  batchSize: number;
  /** How long sums may wait for more, while many events come. */
  settleMs: number;
  /** How many are kept while the database takes none. */
  capacity: number;
  /** How long a reader waits for what was just used to be counted. */
  patienceMs: number;
}

const SETTINGS: UsageSettings = {
  flushMs: 500,
  batchSize: 1_000,
  settleMs: 5_000,
  capacity: 1_000_000,
  patienceMs: 2_000,
};
const MOST_REFUSALS = 3;
/** How many batches are written in one transaction where so many wait. */
const TOGETHER = 4;

/** Segments whose uses are in the database, and what they come to, which is not. */
interface Sums {
  segments: Segment[];
  tally: Tally;
  lines: number;
  since: number;
}

/**
 * Counts what keys are used for. An event is in the journal before its request is answered, and in the database soon
 * after; a process that is killed, or a database that is away, loses none of them.
 */
export class Usage {
  /** Since the process began; lost ones were too many to keep, or refused by a working database. */
  readonly counts = { recorded: 0, written: 0, lost: 0 };
  readonly #writer: UsageWriter;
  readonly #log: Pick<Log, 'warn' | 'error'>;
  readonly #dataDir: string;
  readonly #settings: UsageSettings;
  #opened: Journal | undefined;
  /** When all that was recorded in this turn of the event loop is written. */
  #turn: Promise<void> | undefined;
  #sums: Sums | undefined;
  /** Sums that are being written: where that fails they are tried again just as they are. */
  #settling: Sums | undefined;
  /** How often a database that was there would not take what is next. */
  #refusals = 0;
  /** Whether the last attempt failed: then only the clock starts the next one. */
  #failed = false;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #nextIsAll = false;
  #closed = false;

  constructor(db: Db, log: Pick<Log, 'warn' | 'error'>, dataDir: string, settings: Partial<UsageSettings> = {}) {
    this.#writer = new UsageWriter(db);
    this.#log = log;
    this.#dataDir = dataDir;
    this.#settings = { ...SETTINGS, ...settings };
  }

  /** How many events wait to be counted. */
  get backlog(): number {
    return this.#opened?.backlog ?? 0;
  }

  /** Takes note of a request; resolves when not even a kill can lose it, and never rejects. */
  record(use: UsageEvent): Promise<void> {
    this.counts.recorded++;
    try {
      this.#journal().add(lineOf(use));
    } catch (error) {
      this.#lost(1, error);
    }
    return (this.#turn ??= nextTurn().then(() => this.#endTurn()));
  }

  /** Resolves once all that was recorded before is counted and added up, or could not be in time; never rejects. */
  async flush(): Promise<void> {
    if ((this.#opened?.unfinished ?? 0) === 0) return;
    const patience = new AbortController();
    await Promise.race([this.#flush(true), expiry(this.#settings.patienceMs, patience.signal)]);
    patience.abort();
  }

  /** Counts what dead processes left in the data folder, each segment once even if it was counted before they died. */
  async recover(): Promise<void> {
    for (const { segments, release } of this.#journal().orphans()) {
      try {
        for (const segment of segments) {
          const tally = new Tally();
          await this.#write([segment], tally);
          await this.#writer.writeTally([segment], tally);
          await this.#journal().done(segment);
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
    const waiting = this.#opened?.unfinished ?? 0;
    if (waiting > 0) this.#log.warn({ waiting }, 'uses of keys are left for the next start to count');
    this.#opened?.close();
    this.#opened = undefined;
  }

  #journal(): Journal {
    return (this.#opened ??= new Journal(this.#dataDir, this.#settings.batchSize));
  }

  #endTurn(): void {
    this.#turn = undefined;
    const journal = this.#opened;
    if (!journal) return;
    const { unwritten } = journal;
    try {
      journal.write();
    } catch (error) {
      this.#lost(unwritten, error);
    }
    this.#schedule();
    if (journal.backlog >= this.#settings.batchSize && !this.#running && !this.#failed) void this.#flush(false);
  }

  #lost(events: number, error: unknown): void {
    this.counts.lost += events;
    this.#log.warn({ fault: faultCode(error), lost: events }, 'uses of keys could not be noted');
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#flush(false);
    }, this.#settings.flushMs).unref();
  }

  /** Writes what is there; `all` of it also added up, since somebody waits for that. */
  #flush(all: boolean): Promise<void> {
    if (!this.#running) {
      this.#running = this.#writeAll(all).finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    // The one under way may have passed over what was recorded since: the next one will not.
    this.#nextIsAll ||= all;
    return (this.#next ??= this.#running.then(() => {
      const nextIsAll = this.#nextIsAll;
      this.#next = undefined;
      this.#nextIsAll = false;
      return this.#flush(nextIsAll);
    }));
  }

  async #writeAll(all: boolean): Promise<void> {
    const journal = this.#opened;
    if (!journal) return;
    try {
      await this.#settle(journal);
      if (all || journal.segments === 0) journal.cut();
      // What comes meanwhile is for the next time: under load this one would never end.
      for (let left = journal.segments; left > 0;) {
        const segments = this.#oldest(journal, left);
        left -= segments.length;
        const sums = (this.#sums ??= { segments: [], tally: new Tally(), lines: 0, since: Date.now() });
        await this.#write(segments, sums.tally);
        for (const segment of segments) {
          sums.segments.push(segment);
          sums.lines += segment.lines;
          journal.setAside(segment);
        }
        this.#refusals = 0;
      }
      if (this.#sums && (all || this.#isDue(this.#sums))) {
        this.#settling = this.#sums;
        this.#sums = undefined;
        await this.#settle(journal);
      }
      // Nobody may come any more who would ask for it.
      if (this.#sums) this.#schedule();
      this.#failed = false;
    } catch (error) {
      this.#failed = true;
      this.#log.warn({ fault: faultCode(error), waiting: journal.unfinished }, 'uses of keys could not be counted yet');
      this.#giveUpOnRefused(journal, error);
      this.#shedOldest(journal);
      this.#schedule();
    }
  }

  /** One by one once something was refused, so that only what cannot be had is lost. */
  #oldest(journal: Journal, most: number): Segment[] {
    return journal.next(Math.min(most, this.#refusals > 0 ? 1 : TOGETHER));
  }

  async #write(segments: readonly Segment[], tally: Tally): Promise<void> {
    const journal = this.#journal();
    const batches = segments.map((batch) => ({ batch, ...usesOf(journal.read(batch)) }));
    await this.#writer.writeUses(batches);
    for (const { uses, broken } of batches) {
      for (const use of uses) tally.add(use);
      this.counts.written += uses.length;
      this.counts.lost += broken;
    }
  }

  /** Few events are added up at once; of many, the longer they wait, the more there is to put together. */
  #isDue({ lines, since }: Sums): boolean {
    const { batchSize, settleMs } = this.#settings;
    return lines < batchSize || Date.now() - since >= settleMs;
  }

  async #settle(journal: Journal): Promise<void> {
    const sums = this.#settling;
    if (!sums) return;
    await this.#writer.writeTally(sums.segments, sums.tally);
    this.#endSums(journal, sums);
  }

  #endSums(journal: Journal, { segments }: Sums): void {
    this.#settling = undefined;
    this.#refusals = 0;
    for (const segment of segments) void journal.done(segment);
  }

  /** What a working database refuses again and again would hold up all that comes after it. */
  #giveUpOnRefused(journal: Journal, error: unknown): void {
    if (isUnavailable(error)) return;
    this.#refusals++;
    if (this.#refusals < MOST_REFUSALS) return;
    const [segment] = journal.next(1);
    const lost = this.#settling?.lines ?? segment?.lines ?? 0;
    this.#log.error({ fault: faultCode(error), lost }, 'uses of keys were refused and lost');
    if (this.#settling) this.#endSums(journal, this.#settling);
    else if (segment) this.#lose(journal, segment);
  }

  #shedOldest(journal: Journal): void {
    let shed = 0;
    for (
      let [oldest] = journal.next(1);
      oldest && journal.backlog > this.#settings.capacity;
      [oldest] = journal.next(1)
    ) {
      shed += oldest.lines;
      this.#lose(journal, oldest);
    }
    if (shed > 0)
      this.#log.warn({ shed }, 'uses of keys were dropped, the oldest first: too many could not be counted');
  }

  #lose(journal: Journal, segment: Segment): void {
    this.#refusals = 0;
    this.counts.lost += segment.lines;
    void journal.done(segment);
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
