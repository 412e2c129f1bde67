import type { Log } from '../log.ts';
import { waitAtMost } from '../timing.ts';
import type { UsageEvent } from './usageEvent.ts';
import { UsageFlusher } from './usageFlusher.ts';
import { UsageRecorder } from './usageRecorder.ts';
import type { Writer } from './writerMessages.ts';
import { USAGE_SETTINGS, type UsageCounts, type UsageSettings } from './usageSettings.ts';

export type { UsageEvent } from './usageEvent.ts';
export type { UsageSettings } from './usageSettings.ts';

/**
 * Counts what keys are used for. An event is in the journal before its request is answered, and in the database soon
 * after; a process that is killed, or a database that is away, loses none of them.
 */
export class Usage {
  readonly counts: UsageCounts = { recorded: 0, written: 0, refused: 0, lost: 0 };
  readonly #log: Pick<Log, 'warn' | 'error'>;
  readonly #settings: UsageSettings;
  readonly #recorder: UsageRecorder;
  readonly #flusher: UsageFlusher;
  readonly #writer: Writer;

  constructor(
    writer: Writer,
    log: Pick<Log, 'warn' | 'error'>,
    dataDir: string,
    settings: Partial<UsageSettings> = {},
  ) {
    this.#log = log;
    this.#writer = writer;
    this.#settings = { ...USAGE_SETTINGS, ...settings };
    const { counts } = this;
    const { batchSize } = this.#settings;
    this.#recorder = new UsageRecorder({ dataDir, batchSize, log, counts }, () => this.#flusher.recorded());
    this.#flusher = new UsageFlusher(writer, this.#recorder, { log, counts, settings: this.#settings });
  }

  /** How many events wait to be counted. */
  get backlog(): number {
    return this.#recorder.opened?.backlog ?? 0;
  }

  /** For how long the database has taken no uses; undefined while it does, or has not been asked to. */
  get failingMs(): number | undefined {
    return this.#flusher.failingMs;
  }

  /** When the database last took uses, on the clock of `performance.now()`. */
  get writtenAt(): number {
    return this.#flusher.writtenAt;
  }

  /** Takes note of a request; resolves once it is in the journal, or waits in memory where that cannot be written; never rejects. */
  record(use: UsageEvent): Promise<void> {
    return this.#recorder.record(use);
  }

  /** Whether what is recorded now can be written to the journal. */
  async canRecord(): Promise<boolean> {
    return this.#recorder.canWrite();
  }

  /**
   * Resolves once all that was recorded before is counted and added up, or could not be; never rejects. A database that takes
   * uses slowly is waited for longer than one that takes none.
   */
  async flush(): Promise<void> {
    const { patienceMs, shortPatienceMs } = this.#settings;
    await this.#flushWithin(this.failingMs === undefined ? patienceMs : shortPatienceMs);
  }

  async #flushWithin(patienceMs: number): Promise<void> {
    if ((this.#recorder.opened?.unfinished ?? 0) === 0) return;
    await waitAtMost(patienceMs, this.#flusher.flush(true));
  }

  /** Counts what dead processes left in the data folder, each batch once even if it was counted before they died. */
  async recover(): Promise<void> {
    return this.#flusher.recover();
  }

  /** Counts what is left and stops; what the database does not take now stays for the next start. */
  async close(): Promise<void> {
    this.#flusher.close();
    await this.#flushWithin(this.#settings.shortPatienceMs);
    const waiting = this.#recorder.opened?.unfinished ?? 0;
    if (waiting > 0) this.#log.warn({ waiting }, 'uses of keys are left for the next start to count');
    this.#recorder.close();
    await this.#writer.close();
  }
}
