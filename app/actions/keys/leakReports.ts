import type { Db } from '../../../db/connection/connect.ts';
import { faultCode, isUnavailable } from '../../../db/connection/faults.ts';
import type { KeyTexts } from '../../auth/keyTexts.ts';
import type { Lookup } from '../../auth/lookup.ts';
import type { Origin } from '../../domain/auditEvent.ts';
import type { Log } from '../../log.ts';
import { delay } from '../../timing.ts';
import { reportLeak, type LeakFinding } from './reportLeak.ts';

/** A text that may be a key, with where it was found. */
export interface LeakedText {
  text: string;
  finding: LeakFinding;
}

/** What is known at once of texts that were reported, and what is still being done about them. */
export interface TakenReports {
  /** For each text, whether it is a key of this installation, living or not. */
  known: boolean[];
  /** Resolves when all that is to be done was done; never rejects. */
  done: Promise<void>;
}

/** What a database in trouble is given until it is tried again. */
const PAUSES_MS = [1_000, 5_000, 25_000];

/** Takes reports of leaked keys. What is done about them goes on after the answer, which must not tell by its time. */
export class LeakReports {
  readonly #db: Db;
  readonly #lookup: Pick<Lookup, 'keys'>;
  readonly #log: Log;
  readonly #keyTexts: KeyTexts;
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(db: Db, lookup: Pick<Lookup, 'keys'>, log: Log, keyTexts: KeyTexts) {
    this.#db = db;
    this.#lookup = lookup;
    this.#log = log;
    this.#keyTexts = keyTexts;
  }

  /** Looks all texts up in one query and begins to act on the keys among them; rejects where the lookup does. */
  async take(origin: Origin, leaked: readonly LeakedText[]): Promise<TakenReports> {
    const hashes = leaked.map(({ text }) => this.#keyTexts.hashOf(text));
    const asked = hashes.filter((hash) => hash !== undefined);
    const keys = asked.length > 0 ? await this.#lookup.keys(asked) : undefined;
    const found = hashes.map((hash) => (hash === undefined ? undefined : keys?.key(hash)));
    const work = leaked.flatMap(({ finding }, place) => {
      const key = found[place];
      return key ? [{ tenantId: key.tenant.id, id: key.id, finding }] : [];
    });
    const done = this.#act(origin, work);
    this.#running.add(done);
    void done.then(() => this.#running.delete(done));
    return { known: found.map((key) => key !== undefined), done };
  }

  /** Resolves when nothing is being done any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Ends with what is under way, and waits for no database in trouble. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.settled();
  }

  /** One after the other, so that a long report leaves connections to everybody else. */
  async #act(origin: Origin, work: readonly { tenantId: string; id: string; finding: LeakFinding }[]): Promise<void> {
    for (const { tenantId, id, finding } of work) await this.#actOnOne(origin, tenantId, id, finding);
  }

  async #actOnOne(origin: Origin, tenantId: string, id: string, finding: LeakFinding): Promise<void> {
    const actor = { type: 'anonymous', id: null, name: null } as const;
    for (const pause of [...PAUSES_MS, undefined]) {
      try {
        await reportLeak({ db: this.#db, now: Date.now(), tenantId, actor, origin }, id, finding);
        return;
      } catch (error) {
        if (pause === undefined || !isUnavailable(error) || this.#stopping.signal.aborted) {
          this.#log.error(
            { keyId: id, tenantId, fault: faultCode(error) },
            'a report of a leaked key was not acted on',
          );
          return;
        }
        await delay(pause, this.#stopping.signal);
      }
    }
  }
}
