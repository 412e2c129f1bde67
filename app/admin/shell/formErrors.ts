import type { ZodType } from 'zod';
import { AppError, type ErrorCode } from '../../errors.ts';
import { parsed } from '../../http/input.ts';
import type { Texts } from '../../locales/texts.ts';

/** The errors of a refused form: one for each wrong field, or one sentence about the whole form. */
export interface FormErrors {
  status: number;
  /** Empty where the fields say it. */
  sentence: string;
  /** In the order of the form. */
  fields: { field: string; label: string; problem: string }[];
  /** The problems by field. */
  problems: Readonly<Record<string, string>>;
}

/** The labels of a form's fields, in the order of the form. */
export type FieldLabels = Readonly<Record<string, string>>;

/** The errors that a reader can correct in the form. */
const RECOVERABLE_CODES: ReadonlySet<ErrorCode> = new Set([
  'invalid_input',
  'conflict',
  'changed_meanwhile',
  'plan_limit',
  'insufficient_permission',
  'password_change_required',
]);

/** Reads the fields of a form as the parser of the API does. */
export function readFields<T>(schema: ZodType<T>, fields: unknown): T {
  return parsed(schema, fields, 'invalid_input', 'fields_wrong');
}

/**
 * Runs the work of a form; returns its result, or the error if the reader can correct the form; other errors are
 * thrown.
 */
export async function recoverable<T>(work: () => Promise<T>): Promise<{ done: T } | { refusal: AppError }> {
  try {
    return { done: await work() };
  } catch (error) {
    if (error instanceof AppError && RECOVERABLE_CODES.has(error.code)) return { refusal: error };
    throw error;
  }
}

/** Describes a refused form in the reader's language, with each problem beside its field. */
export function formErrors(
  { pageProblemText }: Texts,
  { status, problem, errors = [] }: AppError,
  labels: FieldLabels,
): FormErrors {
  const problems: Record<string, string> = {};
  for (const { path, problem: found } of errors) {
    // A list such as `scopes.2` is one field of the form.
    const [field = ''] = path.split('.');
    if (field in labels) problems[field] ??= pageProblemText(found);
  }
  const fields = Object.entries(labels).flatMap(([field, label]) => {
    const text = problems[field];
    return text === undefined ? [] : [{ field, label, problem: text }];
  });
  return { status, sentence: fields.length > 0 ? '' : pageProblemText(problem), fields, problems };
}

/** A field of the form, undefined if it is empty. */
export function optionalField(form: URLSearchParams, name: string): string | undefined {
  const text = form.get(name)?.trim() ?? '';
  return text === '' ? undefined : text;
}
