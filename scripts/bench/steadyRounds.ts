import { medianOf } from './figures.ts';

/** A round may not be used where the machine's own speed moved by more than this while it lasted. */
export const MOST_MOVED = 0.1;

/** What a fixed loop took before, between and after the turns of one round, in ms of processor time. */
export interface Round<Turns> {
  loopMs: readonly number[];
  turns: Turns;
}

/** By how much the slowest loop took longer than the fastest one. */
export function movedBy(loopMs: readonly number[]): number {
  return Math.max(...loopMs) / Math.min(...loopMs) - 1;
}

/**
 * Makes rounds until enough of them were steady, at most twice as many as wanted; where too few were, the steadiest of
 * all are used. `told` has a line for the reader that says which.
 */
export async function steadyRounds<Turns>(
  wanted: number,
  make: (round: number) => Promise<Round<Turns>>,
): Promise<{ used: Round<Turns>[]; told: string }> {
  const rounds: Round<Turns>[] = [];
  const isSteady = ({ loopMs }: Round<Turns>) => movedBy(loopMs) <= MOST_MOVED;
  while (rounds.length < 2 * wanted && rounds.filter(isSteady).length < wanted) {
    rounds.push(await make(rounds.length));
  }
  const used = [...rounds].sort((a, b) => movedBy(a.loopMs) - movedBy(b.loopMs)).slice(0, wanted);
  return { used: rounds.filter((round) => used.includes(round)), told: tell(rounds, used) };
}

function tell<Turns>(rounds: readonly Round<Turns>[], used: readonly Round<Turns>[]): string {
  const loops = rounds.map((round) => {
    const { loopMs } = round;
    const fate = used.includes(round) ? '' : ', thrown away';
    return `${medianOf(loopMs).toFixed(1)} ms (moved by ${percent(movedBy(loopMs))}${fate})`;
  });
  const unsteady = used.filter(({ loopMs }) => movedBy(loopMs) > MOST_MOVED).length;
  return [
    `The machine's own speed, a fixed loop in each round: ${loops.join(', ')}.`,
    ...(unsteady > 0
      ? [
          `${unsteady} OF THE ${used.length} ROUNDS USED MOVED BY MORE THAN ${percent(MOST_MOVED)}: others were at work here.`,
        ]
      : []),
  ].join('\n');
}

const percent = (share: number) => `${Math.round(share * 100)}%`;
