import { unavailable } from '../errors.ts';

/** The place of a piece of work in the queue. */
export interface QueuePlace {
  /** The line of the work; lines take turns, and all work of one address is in one line. */
  line: string;
  /** Preferred work gets every other turn while any of it waits. */
  preferred?: boolean;
}

interface Waiting {
  go: () => void;
  refuse: () => void;
}

/**
 * Runs work `atOnce` pieces at a time; the lines take turns, and each line is in order of arrival. If `waitingAtMost`
 * pieces wait already, the newcomer gets a 503, or the last of a line that is longer than the newcomer's.
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

  /** Hands the free place to waiting work, so that newcomers do not overtake it. */
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

  /** Refuses the last piece of the longest line, if it is longer than `length`; false if no line is. */
  #shortenLineOver(length: number): boolean {
    let longest: Waiting[] = [];
    for (const line of this.#lines.values()) if (line.length > longest.length) longest = line;
    if (longest.length <= length) return false;
    longest.pop()?.refuse();
    this.size--;
    return true;
  }
}
