import { createRequire } from 'node:module';

/** Loads a package when it is first needed, so that installations that do not use it save its memory. */
export const importOnDemand = createRequire(import.meta.url);
