/** Every wait of the product: a few small ways to do something later, once, again, or not for too long. */

/** Resolves after this long, or at once where `stop` is given and aborted; never rejects. */
export async function delay(ms: number, stop?: AbortSignal): Promise<void> {
  if (stop?.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    stop?.addEventListener('abort', end);
  });
}

/** Resolves in the next turn of the event loop. */
export async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Runs the work once at the end of a turn of the event loop, however often that turn asks for it; resolves when it ran. */
export function oncePerTurn(work: () => void): () => Promise<void> {
  let asked: Promise<void> | undefined;
  return () =>
    (asked ??= nextTurn().then(() => {
      asked = undefined;
      work();
    }));
}

/** A piece of work that can be put off. */
export interface Debounced {
  /** Runs the work after this long, together with all who ask until then. */
  schedule(ms: number): void;
  cancel(): void;
}

/** Puts work off until the time that the first who asks for it gives; the process does not stay for it. */
export function debounce(work: () => void): Debounced {
  let timer: NodeJS.Timeout | undefined;
  return {
    schedule(ms) {
      timer ??= setTimeout(() => {
        timer = undefined;
        work();
      }, ms).unref();
    },
    cancel() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/** Runs rounds of work that never overlap: each begins this long after the one before has ended. They must not reject. */
export function repeat(ms: number, round: () => void | Promise<void>): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const wait = () => {
    if (!stopping.signal.aborted) timer = setTimeout(run, ms).unref();
  };
  const run = () => {
    running = Promise.resolve(round()).finally(wait);
  };
  wait();
  return {
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}

/** How many timers a time limit is made of. */
const STEPS = 4;

/** A time that runs until it is cancelled. */
export interface TimeLimit {
  cancel(): void;
}

/**
 * Calls `late` after this long of the process's own time. A pause of the process, however long, takes a quarter of it at
 * most, since whom it waits for may have answered during the pause, or have been paused too.
 */
export function limitTime(ms: number, late: () => void): TimeLimit {
  let left = STEPS;
  let last: NodeJS.Immediate | undefined;
  const wait = () => setTimeout(step, Math.ceil(ms / STEPS));
  const step = () => {
    if (--left > 0) timer = wait();
    // What came during the last step is read before it is called late.
    else last = setImmediate(late);
  };
  let timer = wait();
  return {
    cancel() {
      clearTimeout(timer);
      clearImmediate(last);
    },
  };
}

/** Resolves with the work, or after this long without it; rejects where the work does so in time. */
export async function waitAtMost(ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const limit = limitTime(ms, resolve);
    work.finally(() => limit.cancel()).then(() => resolve(), reject);
  });
}

/** The answer, or a rejection with what `late` makes where there is none within this long. */
export async function withDeadline<T>(ms: number, answer: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const limit = limitTime(ms, () => reject(late()));
    answer.finally(() => limit.cancel()).then(resolve, reject);
  });
}
