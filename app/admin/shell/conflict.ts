import type { ZodType } from 'zod';
import { AppError } from '../../errors.ts';

/** The status of a form that comes back because somebody has changed what it was opened with: that of the API. */
export const CONFLICT_STATUS = new AppError('changed_meanwhile').status;

/** The values of a form: as it was opened, as they were sent, and as they are stored now. */
export interface FormVersions<Values> {
  opened: Values;
  yours: Values;
  stored: Values;
}

/** A field that somebody else has changed since the form was opened, in words. */
export interface ConflictRow {
  label: string;
  opened: string;
  /** Undefined where the reader has not changed it. */
  yours: string | undefined;
  stored: string;
}

/** A value in the reader's words. */
interface Fact {
  label: string;
  value: string;
  /** The entries of a long list, of which a change tells what it added and removed. */
  list?: readonly string[];
}

/** What a form carries of the values that it was opened with; undefined where it carries nothing that can be read. */
export function openedIn<Values>(form: URLSearchParams, schema: ZodType<Values>): Values | undefined {
  try {
    return schema.parse(JSON.parse(form.get('opened') ?? ''));
  } catch {
    return undefined;
  }
}

/** The values that others have changed since the form was opened; `factsOf` always gives the same labels in the same order. */
export function conflictRows<Values>(
  { opened, yours, stored }: FormVersions<Values>,
  factsOf: (values: Values) => readonly Fact[],
): ConflictRow[] {
  const [sent, now] = [factsOf(yours), factsOf(stored)];
  return factsOf(opened).flatMap((before, place) => {
    const { label, value } = before;
    const [mine, theirs] = [sent[place], now[place]];
    if (theirs?.value === value) return [];
    const yours = mine?.value === value ? undefined : changeIn(before, mine);
    return [{ label, opened: value, yours, stored: changeIn(before, theirs) }];
  });
}

function changeIn({ list }: Fact, after: Fact | undefined): string {
  if (!list || !after?.list) return after?.value ?? '';
  const added = without(after.list, list).map((one) => `+ ${one}`);
  return [...added, ...without(list, after.list).map((one) => `− ${one}`)].join(', ');
}

/** The values to go on with: what the reader changed as they changed it, all others as they are stored now. */
export function mergeValues<Values extends object>({ opened, yours, stored }: FormVersions<Values>): Values {
  const names = Object.keys(stored) as (keyof Values)[];
  return Object.fromEntries(
    names.map((name) => [name, mergeValue(opened[name], yours[name], stored[name])]),
  ) as unknown as Values;
}

function mergeValue(opened: unknown, yours: unknown, stored: unknown): unknown {
  if (isList(opened) && isList(yours) && isList(stored)) return mergeLists({ opened, yours, stored });
  return JSON.stringify(opened) === JSON.stringify(yours) ? stored : yours;
}

const isList = (value: unknown): value is readonly string[] => Array.isArray(value);

/** Each entry counts for itself, so that one which others added or removed meanwhile stays so. */
function mergeLists({ opened, yours, stored }: FormVersions<readonly string[]>): string[] {
  const kept = without(stored, without(opened, yours));
  return [...new Set([...kept, ...without(yours, opened)])];
}

/** The entries of a list that another one does not have. */
function without(list: readonly string[], others: readonly string[]): string[] {
  return list.filter((one) => !others.includes(one));
}
