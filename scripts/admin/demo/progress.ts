const WIDTH = 30;

/** Says how far a long work is: as one line that fills on a terminal, as a line for each stage elsewhere. */
export class Progress {
  readonly #output: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>;
  #stage = '';
  #shown = -1;

  constructor(output: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>) {
    this.#output = output;
  }

  /** Begins a stage and gives what tells of its progress, from 0 to 1. */
  stage(name: string): (part: number) => void {
    this.end();
    this.#stage = name;
    this.#shown = -1;
    if (!this.#output.isTTY) this.#output.write(`${name} …\n`);
    this.#draw(0);
    return (part) => this.#draw(part);
  }

  /** Leaves the line as it stands. */
  end(): void {
    if (this.#output.isTTY && this.#stage !== '') this.#output.write('\n');
    this.#stage = '';
  }

  #draw(part: number): void {
    const percent = Math.floor(part * 100);
    if (!this.#output.isTTY || percent === this.#shown) return;
    this.#shown = percent;
    const full = Math.round(part * WIDTH);
    const bar = '█'.repeat(full) + '░'.repeat(WIDTH - full);
    this.#output.write(`\r${this.#stage.padEnd(24)} ${bar} ${String(percent).padStart(3)} %`);
  }
}
