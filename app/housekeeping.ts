import { rollUp } from '../db/upkeep/rollup.ts';
import { faultCode } from '../db/connection/faults.ts';
import { prune } from '../db/upkeep/prune.ts';
import type { Services } from './services.ts';
import { repeat } from './timing.ts';

const EVERY_MS = 60_000;
const PRUNE_EVERY = 60;
const LEARN_EVERY_MS = 5_000;

/** Runs the periodic work that no request asks for: counts the journals of dead processes, rolls up and prunes. */
export function startHousekeeping({ db, config, usage, rollUpNextDays, keyTexts, log }: Services): {
  stop(): Promise<void>;
} {
  const stopping = new AbortController();
  // SQLite works in the thread that asks; a server has work of its own done while this thread goes on.
  const elsewhere = config.database.kind === 'sqlite' ? { nextDays: rollUpNextDays } : {};
  let rounds = 0;
  const first = clean();
  const later = repeat(EVERY_MS, async () => first.then(clean));
  const firstNews = learn();
  const laterNews = repeat(LEARN_EVERY_MS, learn);

  /** Keys that another process imports work here from the next round on. */
  async function learn(): Promise<void> {
    try {
      await keyTexts.refresh();
    } catch (error) {
      log.debug({ fault: faultCode(error) }, 'whether keys were imported could not be asked');
    }
  }

  async function clean(): Promise<void> {
    if (stopping.signal.aborted) return;
    try {
      await usage.recover();
      if (rounds++ % PRUNE_EVERY === 0) await prune(db, config.database, Date.now(), stopping.signal);
      await rollUp(db, config.database, Date.now(), { stop: stopping.signal, ...elsewhere });
    } catch (error) {
      log.warn({ fault: faultCode(error) }, 'housekeeping was put off');
    }
  }

  return {
    async stop() {
      stopping.abort();
      await Promise.all([first, later.stop(), firstNews, laterNews.stop()]);
    },
  };
}
