const PROGRAMS = /^\/(?:api|oauth|\.well-known|forward-auth|metrics|openapi\.json)(?:\/|$)/;

/** Whether only API clients call this path: they get JSON whatever they accept. */
export function isApiPath(path: string): boolean {
  return PROGRAMS.test(path);
}
