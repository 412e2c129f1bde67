import { z } from 'zod';
import { refuses } from './problem.ts';
import { normaliseScope } from './scope.ts';

/** Longer scope names are not repeated in the answer. */
const LONGEST_NAMED = 64;

/**
 * A scope as input, in its one spelling. Whether it can be granted is for the catalogue of the moment to say, which the
 * action asks under its lock; only what could be a scope comes that far, so that no other input comes back.
 */
export const GrantableScope = z
  .string()
  .overwrite((text) => normaliseScope(text) ?? text)
  .check(
    refuses((scope) => {
      const isScope = scope.length <= LONGEST_NAMED && normaliseScope(scope) !== undefined;
      return isScope ? undefined : { key: 'not_a_scope' };
    }),
  );
