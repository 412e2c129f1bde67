/** Follows a column; `!` escapes, since a backslash has a meaning in only one of the databases. */
export const LIKE = "like ? escape '!'";

/** A text as a part of a pattern, taken to the letter. */
export function escapeLike(text: string): string {
  return text.replace(/[!%_]/g, '!$&');
}

/** The pattern of what has the text anywhere in it. */
export function containsPattern(text: string): string {
  return `%${escapeLike(text)}%`;
}
