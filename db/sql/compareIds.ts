/** Compares as the database compares ids, for rows that are to be written in the order of their keys. */
export function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
