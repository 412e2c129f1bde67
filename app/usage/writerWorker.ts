import { readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { openOneConnection, type OneConnection } from '../../db/connection/oneConnection.ts';
import { rollUpNextDays } from '../../db/tables/usage/apiKeyUsageMonths.ts';
import { BatchWriter } from './batchWriter.ts';
import { WriteFault } from './writeFault.ts';
import type { Answer, Job, Question } from './writerMessages.ts';

interface Opened {
  db: OneConnection;
  writer: BatchWriter;
}

/** Of a core that both wait for, this thread has a quarter and the one of requests three. */
const BELOW_REQUESTS = 5;

/** The code of the writing thread: a writer for each number it is asked for, with a connection of its own. */
const opened = new Map<number, Opened>();

letRequestsGoFirst();
parentPort?.on('message', (question: Question) => {
  void answerTo(question).then((answer) => parentPort?.postMessage(answer));
});

/**
 * Lets requests have a core before this thread does; only Linux has a priority for each thread. With a lower one a change of
 * a key on SQLite waits too long for a transaction of this thread, and on a busy core uses come faster than they are written.
 */
function letRequestsGoFirst(): void {
  if (process.platform !== 'linux') return;
  try {
    const [pid, , thread] = readlinkSync('/proc/thread-self').split('/').map(Number);
    if (pid !== process.pid || thread === undefined) return;
    setPriority(thread, Math.min(getPriority(thread) + BELOW_REQUESTS, constants.priority.PRIORITY_LOW));
  } catch {
    // Without /proc the thread keeps the priority of the process.
  }
}

async function answerTo({ id, writer, database, job }: Question): Promise<Answer> {
  try {
    if (job.method !== 'close') return { id, result: await done(job, openedFor(writer, database)) };
    await opened.get(writer)?.db.destroy();
    opened.delete(writer);
    return { id };
  } catch (error) {
    return { id, fault: WriteFault.of(error).told };
  }
}

function openedFor(number: number, config: Question['database']): Opened {
  const known = opened.get(number);
  if (known) return known;
  const db = openOneConnection(config);
  const made = { db, writer: new BatchWriter(db) };
  opened.set(number, made);
  return made;
}

async function done(job: Exclude<Job, { method: 'close' }>, { db, writer }: Opened): Promise<unknown> {
  switch (job.method) {
    case 'write':
      return writer.write(...job.given);
    case 'addUp':
      return writer.addUp(...job.given);
    case 'forget':
      return writer.forget(...job.given);
    case 'rollUpNextDays':
      return rollUpNextDays(db, ...job.given);
  }
}
