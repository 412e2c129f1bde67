import type { Db } from '../../db/connection/connect.ts';
import { faultCode, isContention, isRefused } from '../../db/connection/faults.ts';
import type { Log } from '../log.ts';
import { debounce } from '../timing.ts';
import type { Journal, Segment } from './journal.ts';
import { UsageTotals } from './usageTotals.ts';
import { readJournalLines } from './usageEvent.ts';
import type { UsageRecorder } from './usageRecorder.ts';
import type { UsageCounts, UsageSettings } from './usageSettings.ts';
import { UsageWriter } from './usageWriter.ts';

/** How many batches are written in one transaction where so many wait. */
const TOGETHER = 4;
/** How often the same trouble is said again. */
const REMINDER_MS = 30_000;

/** Segments whose uses are in the database, and what they come to, which is not. */
interface Sums {
  segments: Segment[];
  tally: UsageTotals;
  lines: number;
  since: number;
}

/** Moves uses of keys from the journal into the database, and waits as long as the database takes none. */
export class UsageFlusher {
  readonly #writer: UsageWriter;
  readonly #log: Pick<Log, 'warn' | 'error'>;
  readonly #recorder: UsageRecorder;
  readonly #counts: UsageCounts;
  readonly #settings: UsageSettings;
  #sums: Sums | undefined;
  /** Sums that are being written: where that fails they are tried again just as they are. */
  #settling: Sums | undefined;
  /** Whether the database refused something: then batches are written one by one, so that only that one is kept aside. */
  #oneByOne = false;
  /** Whether the last attempt failed: then only the clock starts the next one. */
  #failed = false;
  /** Since when the database has taken nothing. */
  #failingSince: number | undefined;
  #said = { fault: '', at: -Infinity };
  #writtenAt = -Infinity;
  readonly #flushLater = debounce(() => void this.flush(false));
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #nextIsAll = false;
  #closed = false;

  constructor(
    db: Db,
    recorder: UsageRecorder,
    { log, counts, settings }: { log: Pick<Log, 'warn' | 'error'>; counts: UsageCounts; settings: UsageSettings },
  ) {
    this.#writer = new UsageWriter(db);
    this.#recorder = recorder;
    this.#log = log;
    this.#counts = counts;
    this.#settings = settings;
  }

  /** For how long the database has taken no uses; undefined while it does, or has not been asked to. */
  get failingMs(): number | undefined {
    return this.#failingSince === undefined ? undefined : performance.now() - this.#failingSince;
  }

  /** When the database last took uses, on the clock of `performance.now()`. */
  get writtenAt(): number {
    return this.#writtenAt;
  }

  /** Is told that something was recorded, and sees to it that it is written soon. */
  recorded(): void {
    this.#schedule();
    const backlog = this.#recorder.opened?.backlog ?? 0;
    if (backlog >= this.#settings.batchSize && !this.#running && !this.#failed) void this.flush(false);
  }

  /** Writes what is there; `all` of it also added up, since somebody waits for that. Never rejects. */
  flush(all: boolean): Promise<void> {
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
      return this.flush(nextIsAll);
    }));
  }

  /** Counts what dead processes left in the data folder, each segment once even if it was counted before they died. */
  async recover(): Promise<void> {
    const journal = this.#recorder.journal();
    for (const { segments, release } of journal.orphans()) {
      try {
        for (const segment of segments) await this.#recoverSegment(journal, segment);
      } catch (error) {
        this.#log.warn({ fault: faultCode(error) }, 'uses of keys of an ended process could not be counted yet');
      } finally {
        release();
      }
    }
  }

  async #recoverSegment(journal: Journal, segment: Segment): Promise<void> {
    try {
      const tally = new UsageTotals();
      await this.#write(journal, [segment], tally);
      await this.#writer.writeTally([segment], tally);
    } catch (error) {
      if (!isHopeless(error)) throw error;
      this.#refuse(journal, [segment], error);
      return;
    }
    await journal.done(segment);
  }

  /** Starts no more attempts by itself. */
  close(): void {
    this.#closed = true;
    this.#flushLater.cancel();
  }

  #schedule(): void {
    if (!this.#closed) this.#flushLater.schedule(this.#settings.flushMs);
  }

  async #writeAll(all: boolean): Promise<void> {
    const journal = this.#recorder.opened;
    if (!journal) return;
    try {
      await this.#settle(journal);
      if (all || journal.segments === 0) journal.cut();
      // What comes meanwhile is for the next time: under load this one would never end.
      for (let left = journal.segments; left > 0;) {
        const segments = journal.next(Math.min(left, this.#oneByOne ? 1 : TOGETHER));
        left -= segments.length;
        const sums = (this.#sums ??= { segments: [], tally: new UsageTotals(), lines: 0, since: Date.now() });
        await this.#write(journal, segments, sums.tally);
        for (const segment of segments) {
          sums.segments.push(segment);
          sums.lines += segment.lines;
          journal.setAside(segment);
        }
      }
      if (this.#sums && (all || this.#isDue(this.#sums))) {
        this.#settling = this.#sums;
        this.#sums = undefined;
        await this.#settle(journal);
      }
      // Nobody may come any more who would ask for it.
      if (this.#sums || journal.unwritten > 0) this.#schedule();
      this.#failed = false;
      this.#failingSince = undefined;
      this.#oneByOne = false;
    } catch (error) {
      this.#sayTrouble(journal, error);
      if (isHopeless(error)) this.#refuseNext(journal, error);
      else if (!isContention(error)) this.#failingSince ??= performance.now();
      this.#failed = true;
      this.#shedOldest(journal);
      this.#schedule();
    }
    this.#recorder.sayFault();
  }

  async #write(journal: Journal, segments: readonly Segment[], tally: UsageTotals): Promise<void> {
    const batches = segments.map((batch) => ({ batch, ...readJournalLines(journal.read(batch)) }));
    await this.#writer.writeUses(batches);
    this.#writtenAt = performance.now();
    for (const { batch, uses, broken } of batches) {
      for (const use of uses) tally.add(use);
      this.#counts.written += uses.length;
      this.#counts.lost += batch.lines > 0 ? Math.max(batch.lines - uses.length, 0) : broken;
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
    this.#settling = undefined;
    for (const segment of sums.segments) void journal.done(segment);
  }

  #sayTrouble(journal: Journal, error: unknown): void {
    const fault = faultCode(error);
    const isNews = !this.#failed || fault !== this.#said.fault || performance.now() - this.#said.at > REMINDER_MS;
    if (!isNews) return;
    this.#said = { fault, at: performance.now() };
    this.#log.warn({ fault, waiting: journal.unfinished }, 'uses of keys could not be counted yet');
  }

  /** What is refused would hold up all that comes after it, so it is kept aside; first by itself, to know which one it is. */
  #refuseNext(journal: Journal, error: unknown): void {
    const sums = this.#settling;
    if (sums) {
      this.#settling = undefined;
      this.#refuse(journal, sums.segments, error);
    } else if (this.#oneByOne || journal.segments === 1) this.#refuse(journal, journal.next(1), error);
    this.#oneByOne = true;
  }

  #refuse(journal: Journal, segments: readonly Segment[], error: unknown): void {
    let refused = 0;
    for (const segment of segments) {
      try {
        refused += journal.refuse(segment);
      } catch (fault) {
        // It stays where it is, for the next start to try.
        journal.setAside(segment);
        this.#log.error({ fault: faultCode(fault) }, 'uses of keys that were refused could not be moved aside');
      }
    }
    this.#counts.refused += refused;
    this.#log.error({ fault: faultCode(error), refused }, 'uses of keys were refused and are kept in usage/refused');
  }

  #shedOldest(journal: Journal): void {
    let shed = 0;
    for (
      let [oldest] = journal.next(1);
      oldest && journal.backlog > this.#settings.capacity;
      [oldest] = journal.next(1)
    ) {
      shed += oldest.lines;
      this.#counts.lost += oldest.lines;
      void journal.done(oldest);
    }
    if (shed > 0)
      this.#log.warn({ shed }, 'uses of keys were dropped, the oldest first: too many could not be counted');
  }
}

/** Whether trying again is no use: the database refuses what was noted, or our own code cannot make sense of it. */
function isHopeless(error: unknown): boolean {
  return isRefused(error) || error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
}
