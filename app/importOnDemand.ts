import { createRequire } from 'node:module';

/** Loads a package when it is first needed: what only some installations use takes megabytes from all others otherwise. */
export const importOnDemand = createRequire(import.meta.url);
