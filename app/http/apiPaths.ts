const PROGRAMS = /^\/(?:api|oauth|\.well-known|forward-auth|metrics|openapi\.json)(?:\/|$)/;

/** Whether only programs call this path: they are answered in JSON, whatever they say they accept. */
export function isApiPath(path: string): boolean {
  return PROGRAMS.test(path);
}
