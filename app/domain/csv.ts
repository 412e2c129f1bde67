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

/** A row of a table that was read, and the line of the text on which it began, counted from 1. */
export interface CsvRow {
  line: number;
  cells: string[];
}

/** Reads a table as RFC 4180 has it, with any line ends; undefined where a quoted cell does not end or goes on after its quote. */
export function readCsv(text: string): CsvRow[] | undefined {
  const rows: CsvRow[] = [];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const row: CsvRow = { line, cells: [] };
    for (;;) {
      const cell = readCell(text, at);
      if (!cell) return undefined;
      row.cells.push(cell.text);
      line += cell.text.split('\n').length - 1;
      at = cell.end;
      if (text[at] !== ',') break;
      at += 1;
    }
    if (text.startsWith('\r\n', at)) at += 2;
    else at += 1;
    line += 1;
    if (row.cells.length > 1 || row.cells[0] !== '') rows.push(row);
  }
  return rows;
}

const CELL = /[^,\r\n"]*/y;
const QUOTED_CELL = /"((?:[^"]|"")*)"/y;

/** The cell that begins here, and where it ends: at a comma, the end of the line or that of the text. */
function readCell(text: string, at: number): { text: string; end: number } | undefined {
  const pattern = text[at] === '"' ? QUOTED_CELL : CELL;
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  const end = pattern.lastIndex;
  const ends = end >= text.length || text[end] === ',' || text[end] === '\r' || text[end] === '\n';
  if (!match || !ends) return undefined;
  return { text: match[1] === undefined ? match[0] : match[1].replaceAll('""', '"'), end };
}
