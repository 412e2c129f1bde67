import { unavailable } from '../errors.ts';
import { oncePerTurn } from '../timing.ts';

/** One query for all hashes of a turn, and the promise that their callers wait for. */
interface Waiting<Answer> {
  answer: Promise<Answer | undefined>;
  resolve: (answer: Answer | undefined) => void;
  reject: (error: unknown) => void;
}

/** The most hashes in one query. */
const LARGEST_QUESTION = 1_000;

/**
 * Looks up all items that arrive in one turn of the event loop with one query. The query is always sent after its items
 * arrived, and no result is kept: there is no cache that could be stale. What is found is read by `read`, whose errors are
 * for those alone who asked for that item.
 */
export function batchPerTurn<Found, Answer>(
  ask: (questions: string[]) => Promise<Map<string, Found>>,
  read: (found: Found) => Answer,
  atOnce: number,
): (question: string) => Promise<Answer | undefined> {
  let waiting = new Map<string, Waiting<Answer>>();
  let underWay = 0;
  const sendSoon = oncePerTurn(() => {
    void send(takeBatch());
  });

  function schedule(): void {
    if (underWay < atOnce && waiting.size > 0) void sendSoon();
  }

  function takeBatch(): Map<string, Waiting<Answer>> {
    const batch = waiting;
    waiting = new Map();
    if (batch.size <= LARGEST_QUESTION) return batch;
    const entries = [...batch];
    waiting = new Map(entries.slice(LARGEST_QUESTION));
    return new Map(entries.slice(0, LARGEST_QUESTION));
  }

  async function send(batch: Map<string, Waiting<Answer>>): Promise<void> {
    underWay++;
    schedule();
    try {
      const found = await ask([...batch.keys()]);
      for (const [question, asked] of batch) answer(asked, found.get(question));
    } catch (error) {
      const refusal = unavailable(error);
      for (const { reject } of batch.values()) reject(refusal);
    } finally {
      underWay--;
      schedule();
    }
  }

  function answer({ resolve, reject }: Waiting<Answer>, found: Found | undefined): void {
    try {
      resolve(found === undefined ? undefined : read(found));
    } catch (error) {
      reject(error);
    }
  }

  return (question) => {
    let asked = waiting.get(question);
    if (!asked) {
      waiting.set(question, (asked = newWaiting()));
      schedule();
    }
    return asked.answer;
  };
}

function newWaiting<Answer>(): Waiting<Answer> {
  const waiting = {} as Waiting<Answer>;
  waiting.answer = new Promise((resolve, reject) => {
    waiting.resolve = resolve;
    waiting.reject = reject;
  });
  return waiting;
}
