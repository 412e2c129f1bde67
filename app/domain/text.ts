import { z } from 'zod';
import { refuses } from './problem.ts';

/** The closed list of what makes a text unfit. */
export type TextProblem = 'empty' | 'too_long' | 'control_character' | 'direction_override' | 'broken_character';

const LONGEST_NAME = 100;

// Line separators break a line in some readers as a newline does.
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const CONTROL_BUT_LAYOUT = /[^\P{Cc}\n\t]/u;
const DIRECTION_OVERRIDE = /[\u202A-\u202E\u2066-\u2069]/;
const LONE_SURROGATE = /\p{Cs}/u;
const NOTHING_VISIBLE = /^[\p{White_Space}\p{Default_Ignorable_Code_Point}]*$/u;

/** The form in which a name is kept: trimmed, and composed so that one look has one spelling. */
export function cleanName(text: string): string {
  return text.normalize('NFC').trim();
}

/** The form in which free text is kept: as a name, with every line end written as a newline. */
export function cleanText(text: string): string {
  return cleanName(text).replace(/\r\n?/g, '\n');
}

/** Says what keeps a text from being a name of 1 to 100 characters on one line; undefined promises it is one. */
export function nameProblem(text: string): TextProblem | undefined {
  return problem(cleanName(text), LONGEST_NAME, CONTROL);
}

/** Says what keeps a text from being free text of 1 to `max` characters, newlines and tabs welcome. */
export function textProblem(text: string, max: number): TextProblem | undefined {
  return problem(cleanText(text), max, CONTROL_BUT_LAYOUT);
}

/** A name as input: cleaned, then refused when it has a problem. */
export const Name = cleanInput(LONGEST_NAME, cleanName, nameProblem);

/** Free text as input: cleaned, then refused when it has a problem; what may stay empty is left out or null. */
export function FreeText(max: number) {
  return cleanInput(max, cleanText, (text) => textProblem(text, max));
}

function problem(cleaned: string, max: number, forbidden: RegExp): TextProblem | undefined {
  if (LONE_SURROGATE.test(cleaned)) return 'broken_character';
  if (forbidden.test(cleaned)) return 'control_character';
  if (DIRECTION_OVERRIDE.test(cleaned)) return 'direction_override';
  if (NOTHING_VISIBLE.test(cleaned)) return 'empty';
  return characters(cleaned) > max ? 'too_long' : undefined;
}

/** Counted as databases and JSON Schema count: an emoji beyond the first 65,536 code points is one. */
function characters(text: string): number {
  return Array.from(text).length;
}

function cleanInput(max: number, clean: (text: string) => string, check: (text: string) => TextProblem | undefined) {
  return z
    .string()
    .overwrite(clean)
    .check(
      refuses((text) => {
        const key = check(text);
        return key && { key, values: { max } };
      }),
    )
    .meta({ minLength: 1, maxLength: max });
}
