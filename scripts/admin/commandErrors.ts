/** The command was asked for in a way it does not understand: one line, and exit 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The command was understood and cannot be done: one line, and exit 1. */
export class CommandError extends Error {
  override name = 'CommandError';
}
