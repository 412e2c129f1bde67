/** How a request with a key ended: served, refused to the key, or failed for another reason. */
export const REQUEST_OUTCOMES = ['ok', 'denied', 'error'] as const;
export type RequestOutcome = (typeof REQUEST_OUTCOMES)[number];

/** The key was not let in, or came too often; any other error, such as 404, is an answer to a key that was let in. */
export const DENIED_STATUSES: readonly number[] = [401, 403, 429];

/** What the status of the answer says of a request. */
export function outcomeOf(statusCode: number): RequestOutcome {
  if (statusCode < 400) return 'ok';
  return DENIED_STATUSES.includes(statusCode) ? 'denied' : 'error';
}
