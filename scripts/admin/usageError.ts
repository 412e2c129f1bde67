/** The command was asked for in a way it does not understand: one line, and exit 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}
