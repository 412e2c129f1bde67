import type { z } from 'zod';
import type problems from '../locales/en/problems.json';

/** The name of a problem in the catalogue of every language: an entry of `app/locales/en/problems.json`. */
export type ProblemKey = keyof typeof problems;

/** A problem: its key in the catalogue, and the values that its text is filled with. */
export interface Problem {
  key: ProblemKey;
  values?: Readonly<Record<string, string | number>>;
}

/** A check for a schema, which refuses a value with the problem that `find` has with it. */
export function refuses<T>(find: (value: T) => Problem | undefined): z.core.CheckFn<T> {
  return ({ value, issues }) => {
    const found = find(value);
    if (found) issues.push({ code: 'custom', input: value, message: found.key, params: found.values, continue: false });
  };
}

/** Checks at compile time that a schema's message is a key of the catalogue. */
export function problem(key: ProblemKey): ProblemKey {
  return key;
}
