/** What a spreadsheet may take for the end of a cell although it stands inside one: it reads files by `;` or tab too. */
const SEPARATORS = ';；\\t\\r\\n\\v\\f\\u0085\\u2028\\u2029';
/** What a spreadsheet takes for the beginning of a formula, its full-width forms included, behind quotes and spaces too. */
const FORMULA = `[\\s\\p{C}"＂]*[=+\\-@＝＋－＠]`;

/** Where a formula could begin: at the start of the text, and wherever it could be cut. */
const BEGINNINGS = new RegExp(`(?<=^|[${SEPARATORS}])(?=${FORMULA})`, 'gu');
const LEADING = /^\s*[\t\r]/;

/** One line of a table as RFC 4180 has it, in which no cell can become a formula in whatever opens it. */
export function csvLine(cells: readonly (string | null)[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`;
}

function cellOf(text: string | null): string {
  if (text === null) return '';
  const marked = text.replace(BEGINNINGS, "'");
  const harmless = LEADING.test(marked) ? `'${marked}` : marked;
  return `"${harmless.replaceAll('"', '""')}"`;
}
