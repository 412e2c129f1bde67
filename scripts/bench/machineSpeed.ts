import path from 'node:path';
import { ROOT } from '../../app/root.ts';
import { ask, GENERATOR_CORE, SERVER_CORE, start } from './children.ts';
import type { Stores } from './stores.ts';

/** The machine itself, on which nothing of the bench is measured. */
export interface Machine {
  /** The processor time of a fixed loop on the core of the servers under test, while the other core is busy. */
  loopMs(): Promise<number>;
  /** Whether the other core is kept busy from now on. */
  fill(busy: boolean): Promise<void>;
  stop(): Promise<void>;
}

export function startMachine({ folder }: Stores): Machine {
  const child = (file: string, core: number) =>
    start({ file: path.join(ROOT, 'dist/scripts/bench', file), core, log: path.join(folder, 'machine.log') });
  const loop = child('speedLoop.js', SERVER_CORE);
  const filler = child('filler.js', GENERATOR_CORE);
  const fill = async (busy: boolean) => {
    await ask(filler, { busy });
  };
  return {
    fill,
    loopMs: async () => {
      await fill(true);
      const { cpuMs } = await ask<{ cpuMs: number }>(loop, {});
      await fill(false);
      return cpuMs;
    },
    stop: async () => {
      await loop.stop();
      await filler.stop();
    },
  };
}
