import { closeSync, ftruncateSync, readFileSync, writeSync } from 'node:fs';

const NEWLINE = 10;

/** What could not be appended: the lines that are left, and why. */
export interface Unwritten {
  rest: string;
  /** How many lines were written before. */
  lines: number;
  fault: unknown;
  /** Whether the file ends in the middle of a line, so that nothing may be appended any more. */
  torn: boolean;
}

/** An open file of lines, which ends with a whole one whatever writing meets. */
export class LineFile {
  lines = 0;
  readonly #file: number;
  #bytes = 0;

  /** Takes over a file that was opened for appending, and is empty. */
  constructor(file: number) {
    this.#file = file;
  }

  /** Writes until all is written; where that fails, cuts the file back to its last whole line and gives what is left. */
  append(text: string, lines: number): Unwritten | undefined {
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSome(this.#file, bytes, written);
    } catch (fault) {
      const whole = bytes.subarray(0, written).lastIndexOf(NEWLINE) + 1;
      const wholeLines = countLines(bytes.subarray(0, whole));
      this.#bytes += whole;
      this.lines += wholeLines;
      return { rest: bytes.toString('utf8', whole), lines: wholeLines, fault, torn: !this.#cutBack(written - whole) };
    }
    this.#bytes += written;
    this.lines += lines;
    return undefined;
  }

  close(): void {
    closeQuietly(this.#file);
  }

  #cutBack(excess: number): boolean {
    if (excess === 0) return true;
    try {
      ftruncateSync(this.#file, this.#bytes);
      return true;
    } catch {
      return false;
    }
  }
}

/** The whole lines of a file; a last one that a crash cut short is left out, and a file that somebody deleted holds none. */
export function readWholeLines(file: string): string {
  const text = readIfThere(file);
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return '';
    throw error;
  }
}

/** How many lines a text has. */
export function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}

/** Closes a file; what that complains of cannot be helped any more. */
export function closeQuietly(file: number): void {
  try {
    closeSync(file);
  } catch {
    return;
  }
}

/** Writes some of the bytes from there on, at least one. */
function writeSome(file: number, bytes: Buffer, from: number): number {
  const written = writeSync(file, bytes, from);
  if (written === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' });
  return written;
}
