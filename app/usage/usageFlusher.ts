import { faultCode } from '../../db/connection/faults.ts';
import type { Log } from '../log.ts';
import { debounce } from '../timing.ts';
import type { Journal, JournalBatch } from './journal.ts';
import type { UsageRecorder } from './usageRecorder.ts';
import type { UsageCounts, UsageSettings } from './usageSettings.ts';
import { WriteFault } from './writeFault.ts';
import type { Writer } from './writerMessages.ts';

/** How often the same trouble is said again. */
const REMINDER_MS = 30_000;

/** Batches whose uses are in the database, and what they come to is not, by the number that the writer knows it by. */
interface Sum {
  number: number;
  batches: JournalBatch[];
  lines: number;
  since: number;
}

/** Moves uses of keys from the journal into the database, and waits as long as the database takes none. */
export class UsageFlusher {
  readonly #writer: Writer;
  readonly #log: Pick<Log, 'warn' | 'error'>;
  readonly #recorder: UsageRecorder;
  readonly #counts: UsageCounts;
  readonly #settings: UsageSettings;
  #sum: Sum | undefined;
  /** A sum that is being written: where that fails it is tried again just as it is. */
  #settling: Sum | undefined;
  #lastSum = 0;
  /** Whether the database refused something: then batches are written one by one, so that only that one is kept aside. */
  #oneByOne = false;
  /** Whether the last attempt failed: then only the clock starts the next one. */
  #failed = false;
  /** Since when the database has taken nothing. */
  #failingSince: number | undefined;
  #said = { fault: '', at: -Infinity };
  #writtenAt = -Infinity;
  readonly #flushLater = debounce(() => this.#flushInTime());
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #nextIsAll = false;
  #closed = false;

  constructor(
    writer: Writer,
    recorder: UsageRecorder,
    { log, counts, settings }: { log: Pick<Log, 'warn' | 'error'>; counts: UsageCounts; settings: UsageSettings },
  ) {
    this.#writer = writer;
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
    if (this.#running || this.#failed || this.#backlog < this.#settings.batchSize) return;
    if (!this.#isGathering) void this.flush(false);
  }

  get #backlog(): number {
    return this.#recorder.opened?.backlog ?? 0;
  }

  /** Whether so many events come that more of them are waited for. */
  get #isGathering(): boolean {
    const { batchSize, together, gatherMs } = this.#settings;
    const backlog = this.#backlog;
    const isBusy = backlog >= batchSize && backlog < batchSize * together;
    return isBusy && !this.#failed && performance.now() - this.#writtenAt < gatherMs;
  }

  #flushInTime(): void {
    if (this.#isGathering) this.#schedule();
    else void this.flush(false);
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

  /** Counts what dead processes left in the data folder, each batch once even if it was counted before they died. */
  async recover(): Promise<void> {
    const journal = this.#recorder.journal();
    for (const { batches, release } of journal.orphans()) {
      try {
        for (const batch of batches) await this.#recoverBatch(journal, batch);
      } catch (error) {
        this.#log.warn({ fault: faultCode(error) }, 'uses of keys of an ended process could not be counted yet');
      } finally {
        release();
      }
    }
  }

  async #recoverBatch(journal: Journal, batch: JournalBatch): Promise<void> {
    try {
      const sum = this.#newSum();
      await this.#write([batch], sum);
      await this.#addUp(sum);
    } catch (error) {
      const fault = WriteFault.of(error);
      if (!fault.hopeless) throw fault;
      this.#refuse(journal, [batch], fault);
      return;
    }
    await journal.done(batch);
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
      if (all || journal.batches === 0) journal.cut();
      // What comes meanwhile is for the next time: under load this one would never end.
      for (let left = journal.batches; left > 0;) {
        const batches = journal.next(Math.min(left, this.#oneByOne ? 1 : this.#settings.together));
        left -= batches.length;
        await this.#write(batches, (this.#sum ??= this.#newSum()));
        for (const batch of batches) journal.setAside(batch);
      }
      if (this.#sum && (all || this.#isDue(this.#sum))) {
        this.#settling = this.#sum;
        this.#sum = undefined;
        await this.#settle(journal);
      }
      // Nobody may come any more who would ask for it.
      if (this.#sum || journal.unwritten > 0) this.#schedule();
      this.#failed = false;
      this.#failingSince = undefined;
      this.#oneByOne = false;
    } catch (error) {
      const fault = WriteFault.of(error);
      this.#sayTrouble(journal, fault);
      if (fault.hopeless) this.#refuseNext(journal, fault);
      else if (!fault.contention) this.#failingSince ??= performance.now();
      this.#failed = true;
      this.#shedOldest(journal);
      this.#schedule();
    }
    this.#recorder.sayFault();
  }

  #newSum(): Sum {
    return { number: ++this.#lastSum, batches: [], lines: 0, since: Date.now() };
  }

  async #write(batches: readonly JournalBatch[], sum: Sum): Promise<void> {
    const counts = await this.#writer.write(batches, sum.number);
    this.#writtenAt = performance.now();
    for (const [index, batch] of batches.entries()) {
      const { uses = 0, broken = 0 } = counts[index] ?? {};
      this.#counts.written += uses;
      this.#counts.lost += batch.lines > 0 ? Math.max(batch.lines - uses, 0) : broken;
      sum.batches.push(batch);
      sum.lines += batch.lines;
    }
  }

  async #addUp({ batches, number }: Sum): Promise<void> {
    await this.#writer.addUp(batches, number);
  }

  /** Few events are added up at once; of many, the longer they wait, the more there is to put together. */
  #isDue({ lines, since }: Sum): boolean {
    const { batchSize, settleMs, settleLines } = this.#settings;
    return lines < batchSize || lines >= settleLines || Date.now() - since >= settleMs;
  }

  async #settle(journal: Journal): Promise<void> {
    const sum = this.#settling;
    if (!sum) return;
    await this.#addUp(sum);
    this.#settling = undefined;
    for (const batch of sum.batches) void journal.done(batch);
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
    const sum = this.#settling;
    if (sum) {
      this.#settling = undefined;
      void this.#writer.forget(sum.number);
      this.#refuse(journal, sum.batches, error);
    } else if (this.#oneByOne || journal.batches === 1) this.#refuse(journal, journal.next(1), error);
    this.#oneByOne = true;
  }

  #refuse(journal: Journal, batches: readonly JournalBatch[], error: unknown): void {
    let refused = 0;
    for (const batch of batches) {
      try {
        refused += journal.refuse(batch);
      } catch (fault) {
        // It stays where it is, for the next start to try.
        journal.setAside(batch);
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
