import type { LineToImport } from '../actions/keys/importKeys.ts';
import { readCsv } from '../domain/csv.ts';
import { ImportedKey } from '../domain/importedKey.ts';
import { AppError } from '../errors.ts';
import { fieldErrors, safeName } from '../http/fieldErrors.ts';

export const IMPORT_FORMATS = ['jsonl', 'csv'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** One line of what is to be imported, and the tenant that it names. */
export type ImportLine = LineToImport & { tenant?: string | undefined };

/** Cells of a CSV that hold something other than text. */
const IN_JSON = new Set(['metadata', 'rateLimit']);
const LISTS = new Set(['scopes', 'allowedIps']);

/** What a line may hold beside the fields of a key: where the tool imports for several tenants, whose key it is. */
interface Reading {
  withTenant: boolean;
}

/** Reads each line of JSON lines or of a CSV with a head; a text that is neither is refused whole. */
export function readImport(text: string, format: ImportFormat, reading: Reading = { withTenant: false }): ImportLine[] {
  return format === 'csv' ? linesOfCsv(text, reading) : linesOfJson(text, reading);
}

function linesOfJson(text: string, reading: Reading): ImportLine[] {
  return text.split('\n').flatMap((written, index) => {
    if (written.trim() === '') return [];
    const line = index + 1;
    try {
      return [readLine(line, JSON.parse(written) as unknown, reading)];
    } catch {
      return [{ line, errors: [{ path: '', problem: { key: 'not_json' } }] }];
    }
  });
}

function linesOfCsv(text: string, reading: Reading): ImportLine[] {
  const [head, ...rows] = readCsv(text) ?? [];
  if (!head) throw new AppError('bad_request', 'not_csv');
  const repeated = head.cells.find((name, at) => head.cells.indexOf(name) !== at);
  if (repeated !== undefined) {
    throw new AppError('bad_request', 'not_csv', {
      errors: [{ path: safeName(repeated), problem: { key: 'given_twice' } }],
    });
  }
  return rows.map(({ line, cells }) => {
    if (cells.length !== head.cells.length) return { line, errors: [{ path: '', problem: { key: 'csv_cells' } }] };
    const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const [place, name] of head.cells.entries()) {
      const cell = cells[place] ?? '';
      if (cell !== '') fields[name] = valueOf(name, cell);
    }
    return readLine(line, { ...fields }, reading);
  });
}

/** A cell as the JSON lines would have it; what cannot be read stays text, which the schema refuses. */
function valueOf(name: string, cell: string): unknown {
  if (LISTS.has(name)) return cell.split(/[\s,;]+/).filter((part) => part !== '');
  if (name === 'monthlyQuota') return /^\d+$/.test(cell) ? Number(cell) : cell;
  if (!IN_JSON.has(name)) return cell;
  try {
    return JSON.parse(cell) as unknown;
  } catch {
    return cell;
  }
}

function readLine(line: number, value: unknown, { withTenant }: Reading): ImportLine {
  const { tenant, fields } = withTenant ? tenantApart(value) : { tenant: undefined, fields: value };
  const result = ImportedKey.safeParse(fields, { reportInput: true });
  const read = result.success ? { key: result.data } : { errors: fieldErrors(result.error) };
  return { line, ...(tenant !== undefined && { tenant }), ...read };
}

function tenantApart(value: unknown): { tenant: string | undefined; fields: unknown } {
  if (typeof value !== 'object' || value === null || !('tenant' in value)) return { tenant: undefined, fields: value };
  const { tenant, ...fields } = value;
  return typeof tenant === 'string' ? { tenant, fields } : { tenant: undefined, fields: value };
}
