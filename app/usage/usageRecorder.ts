import { faultCode } from '../../db/connection/faults.ts';
import type { Log } from '../log.ts';
import { oncePerTurn } from '../timing.ts';
import { Journal } from './journal.ts';
import { journalLineOf, type UsageEvent } from './usageEvent.ts';
import type { UsageCounts } from './usageSettings.ts';

/** How often it is said that uses are lost, and how often opening the journal is tried. */
const SAY_EVERY_MS = 10_000;
const OPEN_EVERY_MS = 1_000;
/** How long health believes that the journal can be written, and that it cannot. */
const BELIEVED_MS = 5_000;
const DOUBTED_MS = 1_000;

/** Notes uses of keys in the journal, all of a turn of the event loop together. */
export class UsageRecorder {
  readonly #log: Pick<Log, 'warn'>;
  readonly #counts: UsageCounts;
  readonly #open: () => Journal;
  readonly #onTurn: () => void;
  #opened: Journal | undefined;
  #openFault: { error: unknown; at: number } | undefined;
  #closed = false;
  /** When all that was recorded in this turn of the event loop is written. */
  readonly #turnWritten = oncePerTurn(() => this.#endTurn());
  #unsaidLost = 0;
  #saidLostAt = -Infinity;
  #saidFault = false;
  #probe = { ok: true, at: -Infinity };

  /** `onTurn` is called after each turn in which something was recorded. */
  constructor(
    {
      dataDir,
      batchSize,
      log,
      counts,
    }: { dataDir: string; batchSize: number; log: Pick<Log, 'warn'>; counts: UsageCounts },
    onTurn: () => void,
  ) {
    this.#log = log;
    this.#counts = counts;
    this.#onTurn = onTurn;
    this.#open = () => new Journal(dataDir, batchSize, (lines, fault) => this.#lost(lines, fault));
  }

  /** The journal, once something was recorded. */
  get opened(): Journal | undefined {
    return this.#opened;
  }

  /** The journal, opened where it is not yet. */
  journal(): Journal {
    if (this.#opened) return this.#opened;
    const before = this.#openFault;
    if (before && performance.now() - before.at < OPEN_EVERY_MS) throw before.error;
    try {
      this.#opened = this.#open();
      this.#openFault = undefined;
      return this.#opened;
    } catch (error) {
      this.#openFault = { error, at: performance.now() };
      throw error;
    }
  }

  /** Takes note of a request; resolves when it is written, or known to be unwritable for now, and never rejects. */
  record(use: UsageEvent): Promise<void> {
    this.#counts.recorded++;
    try {
      this.journal().add(journalLineOf(use));
    } catch (error) {
      this.#lost(1, error);
    }
    return this.#turnWritten();
  }

  #endTurn(): void {
    if (!this.#opened) return;
    this.#opened.write();
    this.sayFault();
    this.#onTurn();
  }

  /** Says once that the journal cannot be written, and once that it can be again. */
  sayFault(): void {
    const { fault, unwritten = 0 } = this.#opened ?? {};
    if ((fault !== undefined) === this.#saidFault) return;
    this.#saidFault = fault !== undefined;
    if (this.#saidFault) {
      this.#log.warn(
        { fault: faultCode(fault), waiting: unwritten },
        'the journal of uses cannot be written: they wait in memory',
      );
    } else this.#log.warn('the journal of uses can be written again');
  }

  #lost(events: number, error: unknown): void {
    this.#counts.lost += events;
    this.#unsaidLost += events;
    if (performance.now() - this.#saidLostAt < SAY_EVERY_MS && !this.#closed) return;
    this.#log.warn({ fault: faultCode(error), lost: this.#unsaidLost }, 'uses of keys could not be noted');
    this.#unsaidLost = 0;
    this.#saidLostAt = performance.now();
  }

  /** Whether uses can be written to the journal: by the last one that was, or where there was none lately, by trying. */
  async canWrite(): Promise<boolean> {
    if (this.#opened?.fault !== undefined) return false;
    const now = performance.now();
    if (this.#closed || now - (this.#opened?.writtenAt ?? -Infinity) < BELIEVED_MS) return true;
    if (now - this.#probe.at < (this.#probe.ok ? BELIEVED_MS : DOUBTED_MS)) return this.#probe.ok;
    const ok = await this.#tryToWrite();
    this.#probe = { ok, at: now };
    return ok;
  }

  async #tryToWrite(): Promise<boolean> {
    try {
      await this.journal().tryToWrite();
      return true;
    } catch {
      return false;
    }
  }

  /** Writes what waits, and counts as lost what cannot be written. */
  close(): void {
    this.#closed = true;
    this.#opened?.close();
    this.#opened = undefined;
  }
}
