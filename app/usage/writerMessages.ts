import type { DatabaseConfig } from '../../db/connection/settings.ts';
import type { BatchWriter } from './batchWriter.ts';
import type { ToldFault } from './writeFault.ts';

/** What writes batches, in this thread or another. */
export type Writer = Pick<BatchWriter, 'write' | 'addUp' | 'forget'> & { close(): Promise<void> };

/** All that the writing thread does. */
export interface ThreadedWriter extends Writer {
  /** A step of the roll-up of usage; false once there is no more to do. */
  rollUpNextDays(to: number): Promise<boolean>;
}

/** What the writing thread is asked to do: a method of a writer, and what it is called with. */
export type Job = {
  [Name in keyof ThreadedWriter]: { method: Name; given: Parameters<ThreadedWriter[Name]> };
}[keyof ThreadedWriter];

/** A job, and the database of the writer that does it, which is opened where it is not yet. */
export interface Question {
  id: number;
  writer: number;
  database: DatabaseConfig;
  job: Job;
}

export interface Answer {
  id: number;
  result?: unknown;
  fault?: ToldFault;
}
