import { closeSync, mkdirSync, open, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import path from 'node:path';
import { tryLockFile } from '../../db/fileLock.ts';
import { newId } from '../domain/id.ts';

const MODE = 0o600;

/** Lines that were cut off together: what is counted once, however often it is tried. */
export interface Segment {
  processId: string;
  sequence: number;
  file: string;
  lines: number;
}

/**
 * An append-only journal of lines, in files of this process's own folder. What was written is in the kernel's hands, so
 * that killing the process loses none of it; what dead processes left behind is given by `orphans`.
 */
export class Journal {
  readonly processId = newId();
  readonly #root: string;
  readonly #folder: string;
  readonly #segmentLines: number;
  readonly #unlock: () => void;
  readonly #sealed: Segment[] = [];
  readonly #setAside = new Set<Segment>();
  #sealedLines = 0;
  #linesAside = 0;
  #sequence = 0;
  #file: number | undefined;
  /** The file of the next segment, opened while this one fills: a disk that is busy would hold up whoever waits for it. */
  #spare: number | 'opening' | undefined;
  #lines = 0;
  #pending = '';
  #pendingLines = 0;
  #closed = false;

  constructor(dataDir: string, segmentLines: number) {
    this.#root = path.join(dataDir, 'usage');
    this.#folder = path.join(this.#root, this.processId);
    this.#segmentLines = segmentLines;
    mkdirSync(this.#folder, { recursive: true });
    this.#unlock = lockOf(this.#folder) ?? neverNew();
  }

  /** How many lines wait to be taken. */
  get backlog(): number {
    return this.#sealedLines + this.#lines + this.#pendingLines;
  }

  /** How many lines a kill would lose still. */
  get unwritten(): number {
    return this.#pendingLines;
  }

  /** How many lines are in files still, those of segments that were set aside among them. */
  get unfinished(): number {
    return this.backlog + this.#linesAside;
  }

  /** Takes a line, which is safe once it is written. */
  add(line: string): void {
    this.#pending += line;
    this.#pending += '\n';
    this.#pendingLines++;
  }

  /** Writes what was added. */
  write(): void {
    const text = this.#pending;
    const lines = this.#pendingLines;
    this.#pending = '';
    this.#pendingLines = 0;
    if (lines === 0) return;
    this.#file ??= this.#takeSpare() ?? openSync(this.#path(this.#sequence), 'a', MODE);
    writeSync(this.#file, text);
    this.#lines += lines;
    if (this.#lines >= this.#segmentLines) this.#seal();
    else if (this.#lines >= this.#segmentLines / 2) this.#openSpare();
  }

  #takeSpare(): number | undefined {
    if (typeof this.#spare !== 'number') return undefined;
    const file = this.#spare;
    this.#spare = undefined;
    return file;
  }

  #openSpare(): void {
    if (this.#spare !== undefined) return;
    const sequence = this.#sequence + 1;
    this.#spare = 'opening';
    open(this.#path(sequence), 'a', MODE, (error, file) => {
      // By now it may be needed no more: another was opened in its place, or the journal is closed.
      const isNext = !this.#closed && (sequence > this.#sequence || (sequence === this.#sequence && !this.#file));
      this.#spare = error || !isNext ? undefined : file;
      if (!error && !isNext) closeSync(file);
    });
  }

  /** How many segments wait to be taken; lines that are not cut off yet are in none. */
  get segments(): number {
    return this.#sealed.length;
  }

  /** Cuts off all lines so far. */
  cut(): void {
    this.write();
    this.#seal();
  }

  /** The oldest segments that wait, at most so many. */
  next(most: number): Segment[] {
    return this.#sealed.slice(0, most);
  }

  /** Keeps a segment's file until it is done with, and gives the next one meanwhile. */
  setAside(segment: Segment): void {
    this.#forget(segment);
    this.#setAside.add(segment);
    this.#linesAside += segment.lines;
  }

  /** Deletes a segment that is counted, or given up; without waiting, since a disk may take long over it. */
  async done(segment: Segment): Promise<void> {
    this.#forget(segment);
    if (this.#setAside.delete(segment)) this.#linesAside -= segment.lines;
    // One that cannot be deleted is found again by the next process, and known to be counted.
    await unlink(segment.file).catch(() => undefined);
  }

  #forget(segment: Segment): void {
    const index = this.#sealed.indexOf(segment);
    if (index < 0) return;
    this.#sealed.splice(index, 1);
    this.#sealedLines -= segment.lines;
  }

  /** The lines of a segment; a last one that a crash cut short was never answered for and is left out. */
  read({ file }: Segment): string {
    const text = readFileSync(file, 'utf8');
    return text.slice(0, text.lastIndexOf('\n') + 1);
  }

  /** The segments of processes that are no more; nobody else gets them until they are released. */
  orphans(): { segments: Segment[]; release: () => void }[] {
    return readdirSync(this.#root).flatMap((processId) => {
      const folder = path.join(this.#root, processId);
      const unlock = processId === this.processId ? undefined : lockOf(folder);
      if (!unlock) return [];
      const release = () => {
        if (segmentsIn(folder, processId).length === 0) rmSync(folder, { recursive: true, force: true });
        unlock();
      };
      return [{ segments: segmentsIn(folder, processId), release }];
    });
  }

  /** Closes the files; the folder goes unless something in it waits to be counted. */
  close(): void {
    this.cut();
    this.#closed = true;
    const spare = this.#takeSpare();
    if (spare !== undefined) closeSync(spare);
    if (this.unfinished === 0) rmSync(this.#folder, { recursive: true, force: true });
    this.#unlock();
  }

  #seal(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    const { processId } = this;
    const sequence = this.#sequence;
    this.#sealed.push({ processId, sequence, file: this.#path(sequence), lines: this.#lines });
    this.#sealedLines += this.#lines;
    this.#file = undefined;
    this.#lines = 0;
    this.#sequence++;
  }

  #path(sequence: number): string {
    return path.join(this.#folder, `${sequence}.jsonl`);
  }
}

function lockOf(folder: string): (() => void) | undefined {
  return tryLockFile(path.join(folder, 'lock'));
}

function neverNew(): never {
  throw new Error('a new usage journal is locked already');
}

function segmentsIn(folder: string, processId: string): Segment[] {
  return readdirSync(folder)
    .flatMap((name) => /^(\d+)\.jsonl$/.exec(name)?.[1] ?? [])
    .map((text) => Number(text))
    .sort((a, b) => a - b)
    .map((sequence) => ({ processId, sequence, file: path.join(folder, `${sequence}.jsonl`), lines: 0 }));
}
