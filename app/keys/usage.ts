import type { Db } from '../../db/connect.ts';
import { faultCode, isUnavailable } from '../../db/faults.ts';
import { newId } from '../domain/id.ts';
import { normaliseAddress } from '../domain/network.ts';
import type { Log } from '../log.ts';
import { writeUsage } from './writeUsage.ts';

/** One request made with a valid key, however it was answered. */
export interface UsageEvent {
  tenantId: string;
  keyId: string;
  keyName: string;
  method: string;
  /** The route's pattern. */
  endpoint: string;
  statusCode: number;
  /** What the route asks for. */
  scope: string | null;
  ip: string | null;
  userAgent: string | null;
  responseMs: number;
  at: number;
  requestId: string | null;
}

export interface UsageSettings {
  /** How long an event may wait for others. */
  flushMs: number;
  /** How many are written at once, and how many are worth not waiting for more. */
  batchSize: number;
  /** How many are kept while the database takes none. */
  capacity: number;
}

const MOST_REFUSALS = 3;

const SETTINGS: UsageSettings = { flushMs: 500, batchSize: 1_000, capacity: 50_000 };

/** Events that go to the database together, under one name however often that is tried. */
interface Batch {
  sequence: number;
  /** How often a database that was there would not take it. */
  refusals: number;
  events: UsageEvent[];
}

/** What is known of the use of keys and not yet written; requests only ever leave an event here and go on. */
export class Usage {
  readonly #db: Db;
  readonly #log: Log;
  readonly #settings: UsageSettings;
  readonly #processId = newId();
  #waiting: UsageEvent[] = [];
  /** The batch under way, or the one that failed and comes first again. */
  #batch: Batch | undefined;
  #sequence = 0;
  #shed = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #closed = false;

  constructor(db: Db, log: Log, settings: Partial<UsageSettings> = {}) {
    this.#db = db;
    this.#log = log;
    this.#settings = { ...SETTINGS, ...settings };
  }

  /** Takes note of a request; costs next to nothing and never throws. */
  record(use: UsageEvent): void {
    try {
      this.#waiting.push(fitting(use));
      if (this.#kept() > this.#settings.capacity) this.#shedOldest();
      this.#schedule();
    } catch (error) {
      this.#log.warn({ fault: faultCode(error) }, 'a use of a key could not be noted');
    }
  }

  /** Resolves once all that was recorded before is written, or could not be; never rejects. */
  async flush(): Promise<void> {
    // One that has begun may have passed over what was recorded since: the next one will not.
    const flushed = this.#running
      ? (this.#next ??= this.#running.then(async () => {
          this.#next = undefined;
          return this.flush();
        }))
      : (this.#running = this.#writeAll().finally(() => {
          this.#running = undefined;
        }));
    await flushed;
  }

  /** Writes what is left and stops; what the database does not take now is lost, and said to be. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    clearTimeout(this.#timer);
    if (this.#kept() > 0) this.#log.warn({ lost: this.#kept() }, 'uses of keys were lost at the end of the process');
  }

  #kept(): number {
    return this.#waiting.length + (this.#batch?.events.length ?? 0);
  }

  /** A batch that failed is the oldest; else many at a time, so that not every request has to move all the rest. */
  #shedOldest(): void {
    if (this.#batch && !this.#running) {
      this.#shed += this.#batch.events.length;
      this.#batch = undefined;
    } else {
      this.#shed += this.#waiting.splice(0, Math.ceil(this.#settings.capacity / 50)).length;
    }
  }

  #schedule(): void {
    if (this.#closed) return;
    if (this.#waiting.length >= this.#settings.batchSize && !this.#running && !this.#batch) void this.flush();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, this.#settings.flushMs).unref();
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#nextBatch()) await this.#writeBatch();
    } catch (error) {
      this.#log.warn({ fault: faultCode(error), waiting: this.#kept() }, 'uses of keys could not be written yet');
      this.#giveUpOnRefused(error);
      this.#schedule();
    }
    if (this.#shed > 0) {
      this.#log.warn(
        { shed: this.#shed },
        'uses of keys were dropped, the oldest first: too many could not be written',
      );
      this.#shed = 0;
    }
  }

  /** A batch that a working database refuses again and again would hold up all that come after it. */
  #giveUpOnRefused(error: unknown): void {
    if (!this.#batch || isUnavailable(error)) return;
    this.#batch.refusals += 1;
    if (this.#batch.refusals < MOST_REFUSALS) return;
    this.#log.error({ fault: faultCode(error), lost: this.#batch.events.length }, 'uses of keys were refused and lost');
    this.#batch = undefined;
  }

  #nextBatch(): Batch | undefined {
    if (!this.#batch && this.#waiting.length > 0) {
      this.#sequence += 1;
      this.#batch = {
        sequence: this.#sequence,
        refusals: 0,
        events: this.#waiting.splice(0, this.#settings.batchSize),
      };
    }
    return this.#batch;
  }

  async #writeBatch(): Promise<void> {
    if (!this.#batch) return;
    await writeUsage(this.#db, { ...this.#batch, processId: this.#processId }, Date.now());
    this.#batch = undefined;
  }
}

const LONGEST_ENDPOINT = 200;
const LONGEST_SCOPE = 100;
const LONGEST_USER_AGENT = 255;
const LONGEST_RESPONSE_MS = 999_999;

/** The event as the tables can hold it, so that none can keep the others from being written. */
function fitting(use: UsageEvent): UsageEvent {
  return {
    ...use,
    method: ascii(use.method, 10),
    endpoint: ascii(use.endpoint, LONGEST_ENDPOINT),
    scope: use.scope === null ? null : ascii(use.scope, LONGEST_SCOPE),
    ip: use.ip === null ? null : (normaliseAddress(use.ip) ?? null),
    userAgent: use.userAgent?.slice(0, LONGEST_USER_AGENT).replace(/\p{Cs}/gu, '') ?? null,
    responseMs: Number.isFinite(use.responseMs) ? Math.min(Math.max(use.responseMs, 0), LONGEST_RESPONSE_MS) : 0,
  };
}

function ascii(text: string, length: number): string {
  return text.slice(0, length).replace(/[^\x20-\x7e]/g, '?');
}
