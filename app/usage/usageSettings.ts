export interface UsageSettings {
  /** How long an event may wait for others. */
  flushMs: number;
  /** How many are written at a time. */
  batchSize: number;
  /** How many such batches are written in one transaction where so many wait. */
  together: number;
  /** How long many events may wait until as many are there as are written together; at once where this is none. */
  gatherMs: number;
  /** How long sums may wait for more, while many events come: each row of a key is written once for all its events meanwhile. */
  settleMs: number;
  /** How many events are added up at the latest, since the writing thread holds a sum for each of their keys. */
  settleLines: number;
  /** How many are kept while the database takes none. */
  capacity: number;
  /** How long a reader waits for what was just used to be counted, on a machine that is slow at it. */
  patienceMs: number;
  /** The same while the database takes nothing, and for the last of a process that stops. */
  shortPatienceMs: number;
}

export const USAGE_SETTINGS: UsageSettings = {
  flushMs: 500,
  batchSize: 1_000,
  together: 4,
  gatherMs: 0,
  settleMs: 10_000,
  settleLines: 80_000,
  capacity: 1_000_000,
  patienceMs: 10_000,
  shortPatienceMs: 2_000,
};

/** Since the process began: what became of the uses of keys. */
export interface UsageCounts {
  recorded: number;
  written: number;
  /** Kept aside, since the database refused what they say. */
  refused: number;
  /** Too many to keep, or never written to the journal. */
  lost: number;
}
