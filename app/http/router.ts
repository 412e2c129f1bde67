/** The options of every router: `/K/a` is not `/k/a`, and `/k/` is not `/k`. */
export const ROUTER = { sensitive: true, strict: true } as const;
