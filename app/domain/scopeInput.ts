import { z } from 'zod';
import { refuses } from './problem.ts';
import { normaliseScope } from './scope.ts';
import { isKnownScope } from './scopeCatalogue.ts';

/** Longer scope names are not repeated in the answer. */
const LONGEST_NAMED = 64;

/** A scope as input: in its one spelling, and refused by name when nothing by that name can be granted. */
export const GrantableScope = z
  .string()
  .overwrite((text) => normaliseScope(text) ?? text)
  .check(
    refuses((scope) => {
      if (isKnownScope(scope)) return undefined;
      // Only what could be a scope is named, so that no other input comes back.
      const isScope = scope.length <= LONGEST_NAMED && normaliseScope(scope) !== undefined;
      return isScope ? { key: 'unknown_scope', values: { scope } } : { key: 'not_a_scope' };
    }),
  );
