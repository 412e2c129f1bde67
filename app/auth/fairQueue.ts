import { unavailable } from '../errors.ts';

/** Where a piece of work waits. */
export interface QueuePlace {
  /** Lines get turns one after the other: all work of one address stands in one line. */
  line: string;
  /** Every other turn goes to these, as long as any of them waits. */
  preferred?: boolean;
}

interface Waiting {
  go: () => void;
  refuse: () => void;
}

/**
 * Runs work `atOnce` pieces at a time, the lines in turn and each line in order of arrival. With `waitingAtMost` already
 * waiting the answer is 503: for whoever comes, or for the last of a line that is longer than theirs would be.
 */
export function fairQueue(
  atOnce: number,
  waitingAtMost: number,
): <T>(work: () => Promise<T>, place?: QueuePlace) => Promise<T> {
  const preferred = new Lines(waitingAtMost);
  const others = new Lines(waitingAtMost);
  let running = 0;
  let lastWasPreferred = false;

  async function enter({ line, preferred: isPreferred = false }: QueuePlace): Promise<void> {
    if (running < atOnce) {
      running++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const refuse = () => reject(unavailable(new Error('too many are waiting for their turn')));
      (isPreferred ? preferred : others).add(line, { go: resolve, refuse });
    });
  }

  /** The place goes straight to somebody who waits, so that nobody who comes now gets ahead. */
  function leave(): void {
    lastWasPreferred = preferred.size > 0 && !(lastWasPreferred && others.size > 0);
    const next = (lastWasPreferred ? preferred : others).next();
    if (next) next.go();
    else running--;
  }

  return async (work, place = { line: '' }) => {
    await enter(place);
    try {
      return await work();
    } finally {
      leave();
    }
  };
}

/** Waiting lines that get turns one after the other; the map's order is that of the turns. */
class Lines {
  size = 0;
  readonly #most: number;
  readonly #lines = new Map<string, Waiting[]>();

  constructor(most: number) {
    this.#most = most;
  }

  add(name: string, waiting: Waiting): void {
    const length = this.#lines.get(name)?.length ?? 0;
    if (this.size >= this.#most && !this.#shortenLineOver(length + 1)) {
      waiting.refuse();
      return;
    }
    const line = this.#lines.get(name);
    if (line) line.push(waiting);
    else this.#lines.set(name, [waiting]);
    this.size++;
  }

  next(): Waiting | undefined {
    for (const [name, line] of this.#lines) {
      const first = line.shift();
      this.#lines.delete(name);
      if (line.length > 0) this.#lines.set(name, line);
      if (!first) continue;
      this.size--;
      return first;
    }
    return undefined;
  }

  /** Refuses the last of the longest line, where that is longer than this; false where none is. */
  #shortenLineOver(length: number): boolean {
    let longest: Waiting[] = [];
    for (const line of this.#lines.values()) if (line.length > longest.length) longest = line;
    if (longest.length <= length) return false;
    longest.pop()?.refuse();
    this.size--;
    return true;
  }
}
