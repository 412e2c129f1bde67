import type { ZodType } from 'zod';
import { AppError, type ErrorCode } from '../../errors.ts';
import { parsed } from '../../http/input.ts';
import type { Texts } from '../../locales/texts.ts';

/** What a form that came back shows: a problem for each field that is wrong, or one sentence about all of it. */
export interface FormErrors {
  status: number;
  /** Empty where the fields say it. */
  sentence: string;
  /** In the order of the form. */
  fields: { field: string; label: string; problem: string }[];
  /** The same by field. */
  problems: Readonly<Record<string, string>>;
}

/** The fields of a form in their order, each with what it is called. */
export type FieldLabels = Readonly<Record<string, string>>;

/** What the reader of a form can do something about while it is before them. */
const RECOVERABLE_CODES: ReadonlySet<ErrorCode> = new Set([
  'invalid_input',
  'conflict',
  'plan_limit',
  'insufficient_permission',
  'password_change_required',
]);

/** Reads the fields of a form as the parser of the API does. */
export function readFields<T>(schema: ZodType<T>, fields: unknown): T {
  return parsed(schema, fields, 'invalid_input', 'fields_wrong');
}

/** Does the work of a form: what came of it, or the refusal that its reader can mend; anything else is thrown. */
export async function recoverable<T>(work: () => Promise<T>): Promise<{ done: T } | { refusal: AppError }> {
  try {
    return { done: await work() };
  } catch (error) {
    if (error instanceof AppError && RECOVERABLE_CODES.has(error.code)) return { refusal: error };
    throw error;
  }
}

/** The refusal in the reader's words, beside the fields it is about. */
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

/** A field that was left empty is one that was not sent. */
export function optionalField(form: URLSearchParams, name: string): string | undefined {
  const text = form.get(name)?.trim() ?? '';
  return text === '' ? undefined : text;
}
