import { mkdirSync, open, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tryLockFile } from '../../db/locks/fileLock.ts';
import { newId } from '../domain/id.ts';
import { closeQuietly, countLines, LineFile } from './lineFile.ts';

const MODE = 0o600;
/** How many lines are kept in memory while they cannot be written; what comes then is lost. */
const MOST_HELD = 10_000;
/** How long a disk that failed is left alone. */
const RETRY_MS = 100;
/** Beside the folders of processes, for the segments that the database refused. */
const REFUSED = 'refused';

/** Lines that were cut off together: what is counted once, however often it is tried. */
export interface Segment {
  processId: string;
  sequence: number;
  file: string;
  lines: number;
}

/**
 * An append-only journal of lines, in files of this process's own folder. What was written is in the kernel's hands, so
 * that killing the process loses none of it; what dead processes left behind is given by `orphans`. What cannot be
 * written waits in memory until it can, and is reported as lost where there is too much of it or no time left.
 */
export class Journal {
  readonly processId = newId();
  readonly #root: string;
  readonly #folder: string;
  readonly #segmentLines: number;
  readonly #unlock: () => void;
  readonly #sealed: Segment[] = [];
  readonly #setAside = new Set<Segment>();
  readonly #onLost: (lines: number, fault: unknown) => void;
  #sealedLines = 0;
  #linesAside = 0;
  #sequence = 0;
  #file: LineFile | undefined;
  /** The file of the next segment, opened while this one fills: a disk that is busy would hold up whoever waits for it. */
  #spare: number | 'opening' | undefined;
  #pending = '';
  #pendingLines = 0;
  #droppedLines = 0;
  #fault: unknown;
  #failedAt = 0;
  #writtenAt = -Infinity;
  #closed = false;

  constructor(dataDir: string, segmentLines: number, onLost: (lines: number, fault: unknown) => void) {
    this.#root = path.join(dataDir, 'usage');
    this.#folder = path.join(this.#root, this.processId);
    this.#segmentLines = segmentLines;
    this.#onLost = onLost;
    mkdirSync(this.#folder, { recursive: true });
    try {
      this.#unlock = lockOf(this.#folder) ?? neverNew();
    } catch (error) {
      rmSync(this.#folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** How many lines wait to be taken. */
  get backlog(): number {
    return this.#sealedLines + (this.#file?.lines ?? 0) + this.#pendingLines;
  }

  /** How many lines a kill would lose still. */
  get unwritten(): number {
    return this.#pendingLines;
  }

  /** How many lines are in files still, those of segments that were set aside among them. */
  get unfinished(): number {
    return this.backlog + this.#linesAside;
  }

  /** What the last attempt to write met; undefined while all goes well. */
  get fault(): unknown {
    return this.#fault;
  }

  /** When something was last written, on the clock of `performance.now()`. */
  get writtenAt(): number {
    return this.#writtenAt;
  }

  /** Takes a line, which is safe once it is written. */
  add(line: string): void {
    if (this.#fault !== undefined && this.#pendingLines >= MOST_HELD) {
      this.#droppedLines++;
      return;
    }
    this.#pending += line;
    this.#pending += '\n';
    this.#pendingLines++;
  }

  /** Writes what was added; what cannot be written stays, for the next time. */
  write(): void {
    this.#reportDropped();
    if (this.#pendingLines === 0) return;
    if (this.#fault !== undefined && performance.now() - this.#failedAt < RETRY_MS) return;
    try {
      this.#file ??= this.#openFile();
    } catch (error) {
      this.#failed(error);
      return;
    }
    const unwritten = this.#file.append(this.#pending, this.#pendingLines);
    if (unwritten) {
      this.#pending = unwritten.rest;
      this.#pendingLines -= unwritten.lines;
      this.#failed(unwritten.fault);
      // A torn line stays the last of its file, where it is left out when it is read.
      if (unwritten.torn) this.#endFile(this.#file);
      return;
    }
    this.#pending = '';
    this.#pendingLines = 0;
    this.#fault = undefined;
    this.#writtenAt = performance.now();
    if (this.#file.lines >= this.#segmentLines) this.#seal();
    else if (this.#file.lines >= this.#segmentLines / 2) this.#openSpare();
  }

  #failed(fault: unknown): void {
    this.#fault = fault;
    this.#failedAt = performance.now();
  }

  #openFile(): LineFile {
    return new LineFile(this.#takeSpare() ?? openSync(this.#path(this.#sequence), 'a', MODE));
  }

  #reportDropped(): void {
    if (this.#droppedLines === 0) return;
    this.#onLost(this.#droppedLines, this.#fault);
    this.#droppedLines = 0;
  }

  /** Writes a few bytes beside the journal, and rejects with what keeps them from being written. */
  async tryToWrite(): Promise<void> {
    await writeFile(path.join(this.#folder, 'probe'), 'this can be written\n', { mode: MODE });
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
      if (!error && !isNext) closeQuietly(file);
    });
  }

  /** How many segments wait to be taken; lines that are not cut off yet are in none. */
  get segments(): number {
    return this.#sealed.length;
  }

  /** Cuts off all lines that are written so far. */
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

  /**
   * Moves a segment that the database refused out of the way, to where nobody counts or deletes it, and says how many
   * lines it has. Moved back as the folder of an ended process, it is counted by the next start.
   */
  refuse(segment: Segment): number {
    const lines = segment.lines || countLines(Buffer.from(this.read(segment)));
    const folder = path.join(this.#root, REFUSED, segment.processId);
    mkdirSync(folder, { recursive: true });
    renameSync(segment.file, path.join(folder, path.basename(segment.file)));
    this.#forget(segment);
    if (this.#setAside.delete(segment)) this.#linesAside -= segment.lines;
    return lines;
  }

  #forget(segment: Segment): void {
    const index = this.#sealed.indexOf(segment);
    if (index < 0) return;
    this.#sealed.splice(index, 1);
    this.#sealedLines -= segment.lines;
  }

  /** The lines of a segment; a last one that a crash cut short was never answered for and is left out. */
  read({ file }: Segment): string {
    const text = readIfThere(file);
    return text.slice(0, text.lastIndexOf('\n') + 1);
  }

  /** The segments of processes that are no more; nobody else gets them until they are released. */
  orphans(): { segments: Segment[]; release: () => void }[] {
    return readdirSync(this.#root).flatMap((processId) => {
      const folder = path.join(this.#root, processId);
      const unlock = processId === this.processId || processId === REFUSED ? undefined : lockOf(folder);
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
    this.#failedAt = -Infinity;
    this.cut();
    this.#droppedLines += this.#pendingLines;
    this.#pendingLines = 0;
    this.#reportDropped();
    this.#closed = true;
    this.#file?.close();
    const spare = this.#takeSpare();
    if (spare !== undefined) closeQuietly(spare);
    if (this.unfinished === 0) rmSync(this.#folder, { recursive: true, force: true });
    this.#unlock();
  }

  #seal(): void {
    if (this.#file && this.#file.lines > 0) this.#endFile(this.#file);
  }

  #endFile(file: LineFile): void {
    file.close();
    const { processId } = this;
    const sequence = this.#sequence;
    this.#sealed.push({ processId, sequence, file: this.#path(sequence), lines: file.lines });
    this.#sealedLines += file.lines;
    this.#file = undefined;
    this.#sequence++;
  }

  #path(sequence: number): string {
    return path.join(this.#folder, `${sequence}.jsonl`);
  }
}

/** A file that somebody deleted holds nothing, and keeps nobody waiting for it. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return '';
    throw error;
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
