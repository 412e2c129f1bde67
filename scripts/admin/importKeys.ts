import { readFileSync } from 'node:fs';
import { systemContext } from '../../app/actions/actionContext.ts';
import { importKeys, type ImportedLine, type ImportOptions } from '../../app/actions/keys/importKeys.ts';
import { AppError } from '../../app/errors.ts';
import { presentImport } from '../../app/api/answers/importedKeys.ts';
import { IMPORT_FORMATS, readImport, type ImportLine } from '../../app/inputs/importedKeys.ts';
import { textsIn } from '../../app/locales/texts.ts';
import { connect, type Db } from '../../db/connection/connect.ts';
import { findTenantNamed } from '../../db/tables/tenants.ts';
import type { Command, Workbench } from './command.ts';
import { CommandError, UsageError } from './commandErrors.ts';

/** How many lines one transaction imports. */
const LINES_AT_ONCE = 5_000;
const PATIENCE_MS = 60_000;
/** How many refused lines are listed; --json has them all. */
const SHOWN = 50;

export const keyImport: Command = {
  name: 'key import',
  about:
    'Import keys that were issued elsewhere by the SHA-256 of their texts, from JSON lines or CSV; "-" is standard input',
  operand: 'FILE',
  options: {
    tenant: { value: 'TENANT' },
    format: { value: 'jsonl|csv' },
    'dry-run': {},
    'skip-bad': {},
  },
  async run(work, args) {
    const options = { dryRun: args.flag('dry-run'), skipBad: args.flag('skip-bad') };
    const lines = await readLines(work, args.operand, args.optional('format'));
    const progress = new Progress(lines.length * (options.dryRun ? 1 : 2));
    // A part of the file may take a busy server longer than a request would wait.
    const db = connect(work.services.config.database, {
      queryTimeoutMs: PATIENCE_MS,
      acquireTimeoutMs: PATIENCE_MS,
    });
    const done = await importLines({ db, now: work.now, progress }, lines, options, args.optional('tenant')).finally(
      async () => {
        progress.end();
        await db.destroy();
      },
    );
    const report = presentImport(done, { ...options, texts: textsIn('en') });
    return { lines: told(report), json: report };
  },
};

/** What an import works on: the database, the time of the import, and the bar that shows how far it is. */
interface Import {
  db: Db;
  now: number;
  progress: Progress;
}

async function importLines(
  work: Import,
  lines: readonly ImportLine[],
  options: ImportOptions,
  tenant: string | undefined,
): Promise<ImportedLine[]> {
  const groups = await byTenant(work.db, lines, tenant);
  // Every line is judged before the first one is stored.
  const judged = await importGroups(work, groups, { ...options, dryRun: true });
  const isRefused = judged.some(({ outcome }) => outcome === 'refused');
  if (options.dryRun || (isRefused && !options.skipBad)) return judged;
  return importGroups(work, groups, { dryRun: false, skipBad: true });
}

async function readLines({ readInput }: Workbench, file: string, format: string | undefined): Promise<ImportLine[]> {
  const known = IMPORT_FORMATS.find((one) => one === (format ?? (file.endsWith('.csv') ? 'csv' : 'jsonl')));
  if (!known) throw new UsageError('--format: Must be jsonl or csv');
  const text = file === '-' ? await readInput() : contentOf(file);
  return readImport(text, known, { withTenant: true });
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/** The lines for one tenant; undefined stands for those whose tenant does not exist. */
interface Group {
  tenantId: string | undefined;
  lines: ImportLine[];
}

/** The lines by the tenant that each names, or else by that of the option. */
async function byTenant(db: Db, lines: readonly ImportLine[], everybodys: string | undefined): Promise<Group[]> {
  const groups = new Map<string, Group>();
  for (const line of lines) {
    const name = line.tenant ?? everybodys;
    if (name === undefined)
      throw new UsageError(`Line ${line.line} names no tenant: give --tenant or a field "tenant"`);
    let group = groups.get(name);
    if (!group) {
      group = { tenantId: (await findTenantNamed(db, name))?.id, lines: [] };
      groups.set(name, group);
    }
    group.lines.push(line);
  }
  return [...groups.values()];
}

async function importGroups(
  { db, now, progress }: Import,
  groups: readonly Group[],
  options: ImportOptions,
): Promise<ImportedLine[]> {
  const done: ImportedLine[] = [];
  for (const { tenantId, lines } of groups) {
    const earlier = new Set<string>();
    for (let at = 0; at < lines.length; at += LINES_AT_ONCE) {
      const part = lines.slice(at, at + LINES_AT_ONCE).map((line) => withoutRepeat(line, earlier));
      done.push(
        ...(tenantId === undefined
          ? part.map(({ line }) => refusedLine(line))
          : await importKeys(systemContext(db, tenantId, now), part, options)),
      );
      progress.advance(part.length);
    }
  }
  return done.sort((a, b) => a.line - b.line);
}

/** A line whose key stands in an earlier part of the file is refused as within one part. */
function withoutRepeat(line: ImportLine, earlier: Set<string>): ImportLine {
  if (!('key' in line)) return line;
  const hash = line.key.hash.toString('hex');
  if (earlier.has(hash)) {
    return { line: line.line, errors: [{ path: 'hash', problem: { key: 'hash_of_earlier_line' } }] };
  }
  earlier.add(hash);
  return line;
}

function refusedLine(line: number): ImportedLine {
  const { problem } = new AppError('not_found', 'no_such_tenant');
  return { line, outcome: 'refused', errors: [{ path: 'tenant', problem }] };
}

function told(report: ReturnType<typeof presentImport>): string[] {
  const refused = report.lines.filter(({ outcome }) => outcome === 'refused');
  const held = report.lines.some(({ outcome }) => outcome === 'held_back');
  const counts = `${report.imported} ${report.dryRun ? 'would be imported' : 'imported'}, ${report.present} there already, ${report.refused} refused`;
  return [
    counts,
    ...refused
      .slice(0, SHOWN)
      .map(
        ({ line, errors = [] }) =>
          `line ${line}: ${errors.map(({ path, message }) => `${path === '' ? '' : `${path}: `}${message}`).join('; ')}`,
      ),
    ...(refused.length > SHOWN ? [`… and ${refused.length - SHOWN} more refused lines; --json lists them all`] : []),
    ...(held ? ['Nothing was imported: mend these lines, or import the rest with --skip-bad'] : []),
  ];
}

const BAR_WIDTH = 30;

/** A bar on a terminal that says how far the work is; nothing where standard error is no terminal. */
class Progress {
  readonly #total: number;
  #done = 0;

  constructor(total: number) {
    this.#total = total;
  }

  advance(by: number): void {
    this.#done += by;
    if (!process.stderr.isTTY) return;
    const share = this.#total === 0 ? 1 : this.#done / this.#total;
    const full = Math.round(share * BAR_WIDTH);
    process.stderr.write(`\r[${'#'.repeat(full)}${' '.repeat(BAR_WIDTH - full)}] ${Math.round(share * 100)} %`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}
