import { z } from 'zod';
import { normaliseScope } from './scope.ts';
import { isKnownScope } from './scopeCatalogue.ts';

/** Longer names are not repeated to whoever sent them. */
const LONGEST_NAMED = 64;

/** A scope as input: in its one spelling, and refused by name when nothing by that name can be granted. */
export const GrantableScope = z
  .string()
  .overwrite((text) => normaliseScope(text) ?? text)
  .check(({ value, issues }) => {
    if (isKnownScope(value)) return;
    // Only what could be a scope is named, so that no other input comes back.
    const unknownScope = value.length <= LONGEST_NAMED && normaliseScope(value) !== undefined ? value : undefined;
    const message = unknownScope === undefined ? 'not_a_scope' : `Unknown scope: ${unknownScope}`;
    issues.push({ code: 'custom', input: value, message, params: { unknownScope }, continue: false });
  });
