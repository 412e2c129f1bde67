import { unavailable } from '../errors.ts';
import { oncePerTurn } from '../timing.ts';

/** One query for all that is asked in a turn, and the promise that all who asked wait for. */
interface Turn<Found> {
  questions: Set<string>;
  found: Promise<Found>;
  resolve: (found: Found) => void;
  reject: (error: unknown) => void;
}

/** The most questions in one query, unless somebody alone has more. */
const LARGEST_QUERY = 1_000;

/**
 * Asks all that comes in one turn of the event loop by one query, whose answer is for all who asked. The query is always
 * sent after its questions arrived, and no answer is kept: there is no cache that could be stale.
 */
export function batchPerTurn<Found>(
  ask: (questions: Set<string>) => Promise<Found>,
  atOnce: number,
): (questions: readonly string[]) => Promise<Found> {
  const waiting: Turn<Found>[] = [];
  let underWay = 0;
  const sendSoon = oncePerTurn(() => {
    const turn = waiting.shift();
    if (turn) void send(turn);
  });

  function schedule(): void {
    if (underWay < atOnce && waiting.length > 0) void sendSoon();
  }

  async function send({ questions, resolve, reject }: Turn<Found>): Promise<void> {
    underWay++;
    schedule();
    try {
      resolve(await ask(questions));
    } catch (error) {
      reject(unavailable(error));
    } finally {
      underWay--;
      schedule();
    }
  }

  return (questions) => {
    let turn = waiting.at(-1);
    if (!turn || turn.questions.size + questions.length > LARGEST_QUERY) waiting.push((turn = newTurn<Found>()));
    for (const question of questions) turn.questions.add(question);
    schedule();
    return turn.found;
  };
}

function newTurn<Found>(): Turn<Found> {
  const turn = { questions: new Set<string>() } as Turn<Found>;
  turn.found = new Promise((resolve, reject) => {
    turn.resolve = resolve;
    turn.reject = reject;
  });
  return turn;
}
