import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { faultCode } from '../../db/connection/faults.ts';
import type { DatabaseConfig } from '../../db/connection/settings.ts';
import type { Log } from '../log.ts';
import type { BatchCount } from './batchWriter.ts';
import { WriteFault } from './writeFault.ts';
import type { Answer, Job, Question, ThreadedWriter } from './writerMessages.ts';

/** Beside this file, compiled or not. */
const CODE = new URL(`./writerWorker${path.extname(fileURLToPath(import.meta.url))}`, import.meta.url);
/** Its objects live as long as a batch, so that room for more of them only makes the process larger, and nothing quicker. */
const YOUNG_GENERATION = '--max-semi-space-size=2';
/** Several times what it holds: V8 collects a heap that has a limit sooner than one that may grow as the process does. */
const MEMORY = { maxOldGenerationSizeMb: 128 };

interface Call {
  question: Question;
  isRepeated: boolean;
  resolve: (result: unknown) => void;
  reject: (fault: WriteFault) => void;
}

/**
 * The process's thread for writing uses of keys, which keeps that from those who wait for an answer. It starts with the
 * first batch and keeps no process from ending. Where it ends by itself another one is given what it was asked to do: what
 * it had written already is claimed, and not written again.
 */
class WriterThread {
  readonly #calls = new Map<number, Call>();
  readonly #logs = new Set<Pick<Log, 'error'>>();
  #worker: Worker | undefined;
  /** Whether this thread has done anything: one that never does is not started again at once. */
  #hasAnswered = false;
  #lastCall = 0;
  #lastWriter = 0;

  /** A writer whose work is done by the thread. */
  open(database: DatabaseConfig, log: Pick<Log, 'error'>): ThreadedWriter {
    const writer = ++this.#lastWriter;
    const ask = async (job: Job) => {
      this.#logs.add(log);
      return this.#ask({ writer, database, job });
    };
    return {
      write: async (...given) => (await ask({ method: 'write', given })) as BatchCount[],
      addUp: async (...given) => {
        await ask({ method: 'addUp', given });
      },
      // A thread that has ended knows of no sum.
      forget: async (...given) => {
        await ask({ method: 'forget', given }).catch(() => undefined);
      },
      rollUpNextDays: async (to) => (await ask({ method: 'rollUpNextDays', given: [to] })) as boolean,
      close: async () => {
        if (this.#worker && this.#logs.has(log)) await ask({ method: 'close', given: [] });
        this.#logs.delete(log);
      },
    };
  }

  async #ask(question: Omit<Question, 'id'>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#send({ question: { ...question, id: ++this.#lastCall }, isRepeated: false, resolve, reject });
    });
  }

  #send(call: Call): void {
    this.#worker ??= this.#start();
    this.#calls.set(call.question.id, call);
    this.#worker.ref();
    this.#worker.postMessage(call.question);
  }

  #start(): Worker {
    const worker = startWorker();
    this.#hasAnswered = false;
    let fault = 'ended';
    worker.on('message', (answer: Answer) => this.#take(answer));
    worker.on('error', (error) => (fault = faultCode(error)));
    worker.on('exit', () => this.#ended(fault));
    return worker;
  }

  #take({ id, result, fault }: Answer): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    this.#hasAnswered = true;
    if (this.#calls.size === 0) this.#worker?.unref();
    if (fault) call?.reject(new WriteFault(fault));
    else call?.resolve(result);
  }

  #ended(code: string): void {
    this.#worker = undefined;
    for (const log of this.#logs) log.error({ fault: code }, 'the thread that writes uses of keys ended by itself');
    const interrupted = [...this.#calls.values()];
    const mayRepeat = this.#hasAnswered;
    this.#calls.clear();
    for (const call of interrupted) {
      if (mayRepeat && !call.isRepeated) this.#send({ ...call, isRepeated: true });
      else call.reject(new WriteFault({ code: 'WRITER_ENDED', hopeless: false, contention: false }));
    }
  }
}

/** Run from its sources, a thread has to be given what reads them: on Node 20 that of the main thread is not for others. */
function startWorker(): Worker {
  // A thread gets the size that the options of the process name when it starts; the main thread has read them already.
  setFlagsFromString(YOUNG_GENERATION);
  const options = { name: 'writer', resourceLimits: MEMORY };
  if (!CODE.pathname.endsWith('.ts')) return new Worker(CODE, options);
  const [tsx, code] = [import.meta.resolve('tsx/esm/api'), CODE.href].map((url) => JSON.stringify(url));
  const load = `import(${tsx}).then(({ register }) => { register(); return import(${code}); })`;
  return new Worker(load, { ...options, eval: true });
}

/** One for the process, however many databases are open in it. */
export const writerThread = new WriterThread();
