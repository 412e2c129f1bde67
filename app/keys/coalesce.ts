import { unavailable } from '../errors.ts';

interface Waiter<Found> {
  resolve: (found: Found | undefined) => void;
  reject: (error: Error) => void;
}

/** What one question to the database may hold. */
const LARGEST_QUESTION = 1_000;

/**
 * Puts every question that arrives in one turn of the event loop to the database together. A question is answered only
 * by a query sent after it came, and nothing is kept once it is answered: there is no cache that could be stale.
 */
export function coalesce<Found>(
  ask: (questions: string[]) => Promise<Map<string, Found>>,
  atOnce: number,
): (question: string) => Promise<Found | undefined> {
  let waiting = new Map<string, Waiter<Found>[]>();
  let scheduled = false;
  let underWay = 0;

  function schedule(): void {
    if (scheduled || underWay >= atOnce || waiting.size === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      void send(takeBatch());
    });
  }

  function takeBatch(): Map<string, Waiter<Found>[]> {
    const batch = waiting;
    waiting = new Map();
    if (batch.size <= LARGEST_QUESTION) return batch;
    const entries = [...batch];
    waiting = new Map(entries.slice(LARGEST_QUESTION));
    return new Map(entries.slice(0, LARGEST_QUESTION));
  }

  async function send(batch: Map<string, Waiter<Found>[]>): Promise<void> {
    underWay++;
    schedule();
    try {
      const found = await ask([...batch.keys()]);
      for (const [question, waiters] of batch) {
        const answer = found.get(question);
        for (const waiter of waiters) waiter.resolve(answer);
      }
    } catch (error) {
      const refusal = unavailable(error);
      for (const waiters of batch.values()) for (const waiter of waiters) waiter.reject(refusal);
    } finally {
      underWay--;
      schedule();
    }
  }

  return async (question) =>
    new Promise((resolve, reject) => {
      const waiters = waiting.get(question);
      if (waiters) waiters.push({ resolve, reject });
      else waiting.set(question, [{ resolve, reject }]);
      schedule();
    });
}
