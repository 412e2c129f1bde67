import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { tryLockFile } from '../../db/fileLock.ts';
import { newId } from '../domain/id.ts';

/** Lines that were cut off together: what is counted once, however often it is tried. */
export interface Segment {
  processId: string;
  sequence: number;
  file: string;
  lines: number;
  bytes: number;
}

/**
 * An append-only journal in files of this process's own folder. A line is in the kernel's hands before `append`
 * resolves, so that killing the process loses none; what a dead process left behind is found by `orphans`.
 */
export class Journal {
  readonly processId = newId();
  readonly #root: string;
  readonly #folder: string;
  readonly #unlock: () => void;
  readonly #sealed: Segment[] = [];
  #sequence = 0;
  #file: number | undefined;
  #lines = 0;
  #bytes = 0;
  #pending = '';
  #pendingLines = 0;
  #written: Promise<void> | undefined;

  constructor(dataDir: string) {
    this.#root = path.join(dataDir, 'usage');
    this.#folder = path.join(this.#root, this.processId);
    mkdirSync(this.#folder, { recursive: true });
    const unlock = tryLockFile(path.join(this.#folder, 'lock'));
    if (!unlock) throw new Error('a new usage journal is locked already');
    this.#unlock = unlock;
  }

  /** Takes a line; resolves when it is written, together with all lines of this turn of the event loop. */
  append(line: string): Promise<void> {
    this.#pending += line;
    this.#pending += '\n';
    this.#pendingLines++;
    return (this.#written ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          this.#write();
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      });
    }));
  }

  /** How much waits to be counted. */
  get backlog(): { lines: number; bytes: number } {
    const sum = { lines: this.#lines + this.#pendingLines, bytes: this.#bytes };
    for (const { lines, bytes } of this.#sealed) {
      sum.lines += lines;
      sum.bytes += bytes;
    }
    return sum;
  }

  /** Cuts off what was appended so far; the oldest segment that waits, or undefined when nothing does. */
  next(): Segment | undefined {
    this.#seal();
    return this.#sealed[0];
  }

  /** Forgets a segment that is counted, or given up. */
  done(segment: Segment): void {
    const index = this.#sealed.indexOf(segment);
    if (index >= 0) this.#sealed.splice(index, 1);
    rmSync(segment.file, { force: true });
  }

  /** The lines of a segment; one that was cut short by a crash was never answered for and is left out. */
  read({ file }: Segment): string[] {
    const text = readFileSync(file, 'utf8');
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .slice(0, -1);
  }

  /** The segments of processes that are no more, each folder taken by one process alone until it is given back. */
  orphans(): { segments: Segment[]; release: () => void }[] {
    return readdirSync(this.#root).flatMap((processId) => {
      const folder = path.join(this.#root, processId);
      const unlock = processId === this.processId ? undefined : tryLockFile(path.join(folder, 'lock'));
      if (!unlock) return [];
      const segments = segmentsIn(folder, processId);
      const release = () => {
        unlock();
        if (segmentsIn(folder, processId).length === 0) rmSync(folder, { recursive: true, force: true });
      };
      return [{ segments, release }];
    });
  }

  /** Closes the files; a folder with nothing left to count goes. */
  close(): void {
    this.#write();
    this.#seal();
    this.#unlock();
    if (this.#sealed.length === 0) rmSync(this.#folder, { recursive: true, force: true });
  }

  #write(): void {
    this.#written = undefined;
    if (this.#pendingLines === 0) return;
    const text = this.#pending;
    const lines = this.#pendingLines;
    this.#pending = '';
    this.#pendingLines = 0;
    this.#file ??= openSync(this.#path(), 'a', 0o600);
    this.#bytes += writeSync(this.#file, text);
    this.#lines += lines;
  }

  #seal(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    const { processId } = this;
    this.#sealed.push({
      processId,
      sequence: this.#sequence,
      file: this.#path(),
      lines: this.#lines,
      bytes: this.#bytes,
    });
    this.#file = undefined;
    this.#lines = 0;
    this.#bytes = 0;
    this.#sequence++;
  }

  #path(): string {
    return path.join(this.#folder, `${this.#sequence}.jsonl`);
  }
}

function segmentsIn(folder: string, processId: string): Segment[] {
  return readdirSync(folder)
    .flatMap((name) => /^(\d+)\.jsonl$/.exec(name)?.[1] ?? [])
    .map((sequence) => ({
      processId,
      sequence: Number(sequence),
      file: path.join(folder, `${sequence}.jsonl`),
      lines: 0,
      bytes: 0,
    }))
    .sort((a, b) => a.sequence - b.sequence);
}
