import { open, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../makeFolder.ts';
import { tryLockFile } from '../../db/locks/fileLock.ts';
import type { UsageBatch } from '../../db/tables/usage/usageBatches.ts';
import { newId } from '../domain/id.ts';
import { closeQuietly, countLines, LineFile, readWholeLines } from './lineFile.ts';

const MODE = 0o600;
/** How many lines are kept in memory while they cannot be written; what comes then is lost. */
const MOST_HELD = 10_000;
/** How long a disk that failed is left alone. */
const RETRY_MS = 100;
/** Beside the folders of processes, for the batches that the database refused. */
const REFUSED = 'refused';

/** Lines that were cut off together: what is counted once, however often it is tried. */
export interface JournalBatch extends UsageBatch {
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
  readonly #batchLines: number;
  readonly #unlock: () => void;
  readonly #sealed: JournalBatch[] = [];
  readonly #setAside = new Set<JournalBatch>();
  readonly #onLost: (lines: number, fault: unknown) => void;
  #sealedLines = 0;
  #linesAside = 0;
  #sequence = 0;
  #file: LineFile | undefined;
  /** The file of the next batch, opened while this one fills: a disk that is busy would hold up whoever waits for it. */
  #spare: number | 'opening' | undefined;
  #pending = '';
  #pendingLines = 0;
  #droppedLines = 0;
  #fault: unknown;
  #failedAt = 0;
  #writtenAt = -Infinity;
  #closed = false;

  constructor(dataDir: string, batchLines: number, onLost: (lines: number, fault: unknown) => void) {
    this.#root = path.join(dataDir, 'usage');
    this.#folder = path.join(this.#root, this.processId);
    this.#batchLines = batchLines;
    this.#onLost = onLost;
    makeFolder(this.#folder);
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

  /** How many lines are in files still, those of batches that were set aside among them. */
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
    if (this.#file.lines >= this.#batchLines) this.#seal();
    else if (this.#file.lines >= this.#batchLines / 2) this.#openSpare();
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

  /** How many batches wait to be taken; lines that are not cut off yet are in none. */
  get batches(): number {
    return this.#sealed.length;
  }

  /** Cuts off all lines that are written so far. */
  cut(): void {
    this.write();
    this.#seal();
  }

  /** The oldest batches that wait, at most so many. */
  next(most: number): JournalBatch[] {
    return this.#sealed.slice(0, most);
  }

  /** Keeps a batch's file until it is done with, and gives the next one meanwhile. */
  setAside(batch: JournalBatch): void {
    this.#forget(batch);
    this.#setAside.add(batch);
    this.#linesAside += batch.lines;
  }

  /** Deletes a batch that is counted, or given up; without waiting, since a disk may take long over it. */
  async done(batch: JournalBatch): Promise<void> {
    this.#forget(batch);
    if (this.#setAside.delete(batch)) this.#linesAside -= batch.lines;
    // One that cannot be deleted is found again by the next process, and known to be counted.
    await unlink(batch.file).catch(() => undefined);
  }

  /**
   * Moves a batch that the database refused out of the way, to where nobody counts or deletes it, and says how many
   * lines it has. Moved back as the folder of an ended process, it is counted by the next start.
   */
  refuse(batch: JournalBatch): number {
    const lines = batch.lines || countLines(Buffer.from(readWholeLines(batch.file)));
    const folder = path.join(this.#root, REFUSED, batch.processId);
    makeFolder(folder);
    renameSync(batch.file, path.join(folder, path.basename(batch.file)));
    this.#forget(batch);
    if (this.#setAside.delete(batch)) this.#linesAside -= batch.lines;
    return lines;
  }

  #forget(batch: JournalBatch): void {
    const index = this.#sealed.indexOf(batch);
    if (index < 0) return;
    this.#sealed.splice(index, 1);
    this.#sealedLines -= batch.lines;
  }

  /** The batches of processes that are no more; nobody else gets them until they are released. */
  orphans(): { batches: JournalBatch[]; release: () => void }[] {
    return readdirSync(this.#root).flatMap((processId) => {
      const folder = path.join(this.#root, processId);
      const unlock = processId === this.processId || processId === REFUSED ? undefined : lockOf(folder);
      if (!unlock) return [];
      const release = () => {
        if (batchesIn(folder, processId).length === 0) rmSync(folder, { recursive: true, force: true });
        unlock();
      };
      return [{ batches: batchesIn(folder, processId), release }];
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

function lockOf(folder: string): (() => void) | undefined {
  return tryLockFile(path.join(folder, 'lock'));
}

function neverNew(): never {
  throw new Error('a new usage journal is locked already');
}

function batchesIn(folder: string, processId: string): JournalBatch[] {
  return readdirSync(folder)
    .flatMap((name) => /^(\d+)\.jsonl$/.exec(name)?.[1] ?? [])
    .map((text) => Number(text))
    .sort((a, b) => a - b)
    .map((sequence) => ({ processId, sequence, file: path.join(folder, `${sequence}.jsonl`), lines: 0 }));
}
