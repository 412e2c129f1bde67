import { faultCode, isDamagedFile, isNoDatabase } from '../db/connection/faults.ts';
import type { Config } from './config.ts';

/** The codes of a folder that cannot be written. */
const FILE_FAULTS = new Set(['EACCES', 'EEXIST', 'EISDIR', 'ENOENT', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS']);

/** Says in one line what to do about a data folder or a file in it that cannot be used; undefined for any other fault. */
export function dataDirFault(error: unknown, { dataDir, database }: Config): string | undefined {
  const { code } = error as { code?: unknown };
  if (database.kind === 'sqlite') {
    const { file } = database;
    if (isNoDatabase(error)) return `${file} is no SQLite database: move it away, or set DATA_DIR to another folder`;
    if (isDamagedFile(error)) return `${file} is damaged: put it back from a backup, or set DATA_DIR to another folder`;
  }
  if (!FILE_FAULTS.has(String(code)) && !(error instanceof Error && 'sqliteCode' in error)) return undefined;
  return `DATA_DIR ${dataDir} cannot be used (${faultCode(error)}): make it a folder that can be written, or set DATA_DIR`;
}
