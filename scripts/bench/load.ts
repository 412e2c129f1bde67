import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../app/root.ts';
import { PATH } from './answer.ts';
import { ask, GENERATOR_CORE, onCore, start } from './children.ts';

/** One run of load against one server. */
export interface Load {
  port: number;
  /** One key a line; each request takes one of them at random. */
  keysFile: string;
  connections: number;
  seconds: number;
  /** How many different clients the requests say they come from, for a server behind a trusted proxy. */
  addresses?: number;
}

export interface Outcome {
  perSecond: number;
  answered: number;
  /** Answers by status that were not 200. */
  refused: Record<string, number>;
  p50Ms: number;
  p99Ms: number;
}

export interface Generator {
  readonly name: string;
  run(load: Load): Promise<Outcome>;
  /** Processor time used so far; NaN where it is not known. */
  cpuSeconds(): number;
}

/** wrk where it is installed, otherwise a generator of our own, which costs less than the ones that npm has. */
export function startGenerator(log: string): Generator {
  const wrk = onPath('wrk');
  const generator = wrk === undefined ? ownGenerator(log) : wrkGenerator(wrk);
  return { ...generator, run: async (load) => only200(await generator.run(load)) };
}

/** An answer other than 200 means that the figures would be of something else. */
function only200(outcome: Outcome): Outcome {
  if (Object.keys(outcome.refused).length > 0) {
    throw new Error(`the server under test refused requests: ${JSON.stringify(outcome.refused)}`);
  }
  return outcome;
}

function ownGenerator(log: string): Generator {
  const file = path.join(ROOT, 'dist/scripts/bench/generator.js');
  const child = start({ file, core: GENERATOR_CORE, log });
  return {
    name: 'a generator of its own',
    cpuSeconds: () => child.cpuSeconds(),
    run: async (load) => {
      const message = await ask<{ outcome: Outcome } | { failed: string }>(child, load);
      if ('failed' in message) throw new Error(`the load generator stopped: ${message.failed}`);
      return message.outcome;
    },
  };
}

function wrkGenerator(wrk: string): Generator {
  const script = path.join(ROOT, 'scripts/bench/wrk.lua');
  const run = promisify(execFile);
  return {
    name: 'wrk',
    cpuSeconds: () => NaN,
    run: async ({ port, keysFile, connections, seconds, addresses = 0 }) => {
      // It takes whole seconds only.
      const shape = ['-t1', `-c${connections}`, `-d${Math.max(1, Math.round(seconds))}s`, '--timeout', '10s'];
      const [command = wrk, ...args] = onCore(GENERATOR_CORE, wrk, [
        ...shape,
        ...['-s', script, `http://127.0.0.1:${port}${PATH}`, '--', keysFile, String(addresses)],
      ]);
      const { stderr } = await run(command, args);
      return JSON.parse(stderr) as Outcome;
    },
  };
}

function onPath(program: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter(Boolean)
    .map((folder) => path.join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
