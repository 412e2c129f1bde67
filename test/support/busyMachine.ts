/** By how much a machine that runs many other things may be later than what is promised. */
export const BUSY_MACHINE_MS = 10_000;
