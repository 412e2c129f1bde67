/** What a spreadsheet takes for the beginning of a formula, its full-width forms included. */
const FORMULA = /^[\s]*[=+\-@\t\r\n＝＋－＠]/;

/** One line of a table as RFC 4180 has it, in which no cell can become a formula in whatever opens it. */
export function csvLine(cells: readonly (string | null)[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`;
}

function cellOf(text: string | null): string {
  if (text === null) return '';
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
