import type { ZodError } from 'zod';
import type { Problem, ProblemKey } from '../domain/problem.ts';
import type { FieldError } from '../errors.ts';
import { isProblemKey } from '../locales/texts.ts';

const MOST = 20;

type Issue = ZodError['issues'][number];

/** The problems of a schema by field, from the codes of its issues and never from the library's wording. */
export function fieldErrors({ issues }: Pick<ZodError, 'issues'>): FieldError[] {
  return issues.slice(0, MOST).flatMap((issue): FieldError[] => {
    const path = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys') return [{ path: path.join('.'), problem: problemOf(issue) }];
    return issue.keys.slice(0, MOST).map((key) => ({
      path: [...path, safeName(key)].join('.'),
      problem: { key: 'unknown_field' },
    }));
  });
}

/** A name the caller chose is repeated only where it looks like a field's name and is too short to be a key. */
export function safeName(name: string): string {
  return /^[\w.-]{1,31}$/.test(name) ? name : '(unprintable name)';
}

const BY_TYPE: Readonly<Record<string, ProblemKey>> = {
  string: 'must_be_text',
  number: 'must_be_number',
  int: 'must_be_whole_number',
  boolean: 'must_be_boolean',
  array: 'must_be_list',
  object: 'must_be_object',
  record: 'must_be_object',
  null: 'must_be_null',
};

function problemOf(issue: Issue): Problem {
  // Our own checks have a problem's key in place of a message.
  if (isProblemKey(issue.message)) return ownProblem(issue.message, issue);
  if ('input' in issue && issue.input === undefined) return { key: 'required' };
  switch (issue.code) {
    case 'invalid_type':
      return { key: BY_TYPE[issue.expected] ?? 'invalid' };
    case 'invalid_value':
      if (issue.values.length === 1) return { key: 'must_be_value', values: { value: String(issue.values[0]) } };
      return { key: 'not_one_of', values: { choices: issue.values.map(String).join(', ') } };
    case 'invalid_format':
      return { key: 'wrong_format' };
    case 'too_small':
      return tooSmall(issue.origin, Number(issue.minimum));
    case 'too_big':
      return tooBig(issue.origin, Number(issue.maximum));
    default:
      return { key: 'invalid' };
  }
}

function ownProblem(key: ProblemKey, issue: Issue): Problem {
  const values = issue.code === 'custom' ? (issue.params as Problem['values']) : undefined;
  return { key, ...(values && { values }) };
}

function tooSmall(origin: string, min: number): Problem {
  if (origin === 'string') return min === 1 ? { key: 'empty' } : { key: 'too_short', values: { min } };
  return { key: origin === 'array' ? 'list_too_short' : 'number_too_small', values: { min } };
}

function tooBig(origin: string, max: number): Problem {
  if (origin === 'string') return { key: 'too_long', values: { max } };
  return { key: origin === 'array' ? 'list_too_long' : 'number_too_big', values: { max } };
}
