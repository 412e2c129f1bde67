import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATH } from './answer.ts';
import type { Bench } from './context.ts';
import { medianOf, quantileOf, ratiosOf, shown, table } from './figures.ts';
import { ownerToken } from './owner.ts';
import type { ServerUnderTest } from './children.ts';
import { sample } from './sample.ts';
import { idOf } from './seedRows.ts';
import type { Store } from './stores.ts';
import { atRandom, latchkeyName, MANY_CONNECTIONS, startLatchkey } from './subjects.ts';

const PAUSE_MS = 20;

interface Revokes {
  tookMs: number[];
  /** Keys that still opened something after the answer to their revoke had come. */
  stale: number;
}

/** What a revoke costs while many requests are served: the caller who waits for it, and all the others. */
export async function revokePart(bench: Bench): Promise<unknown> {
  const { stores, plan, print } = bench;
  const large = (await bench.latchkey()).filter(({ keys }) => keys === plan.sizes.at(-1));
  stores.pinDatabase();
  const head = [
    '',
    'throughput ÷ without revokes',
    'revokes',
    'p50 ms',
    'p99 ms',
    'at rest p50 ms',
    'still valid after',
  ];
  const rows: string[][] = [];
  const results: Record<string, unknown> = {};
  for (const store of large) {
    const server = await startLatchkey(stores, store);
    const result = await measure(bench, server, store);
    await server.stop();
    const name = latchkeyName(store);
    results[name] = result;
    const { quiet, busy, atRest, underLoad } = result;
    rows.push([
      name,
      shown(ratiosOf(busy, quiet)),
      String(underLoad.tookMs.length),
      medianOf(underLoad.tookMs).toFixed(1),
      quantileOf(underLoad.tookMs, 0.99).toFixed(1),
      medianOf(atRest.tookMs).toFixed(1),
      String(underLoad.stale + atRest.stale),
    ]);
  }
  print(`Revokes, one every ${PAUSE_MS} ms and the time it takes, while ${MANY_CONNECTIONS} connections are served`);
  print(table([head, ...rows]));
  return results;
}

async function measure(bench: Bench, server: ServerUnderTest, store: Store) {
  const { rounds, seconds, warmSeconds } = bench.plan;
  const revoker = revokerOf(server.port, store);
  const served = async (lasting: number) =>
    (await sample(bench, { answered: 0 }, server, atRandom(store, lasting))).perSecond;
  const atRest = await revoker(async (revokes) => revokes.tookMs.length >= 20);
  const quiet: number[] = [];
  const busy: number[] = [];
  const underLoad: Revokes = { tookMs: [], stale: 0 };
  await served(warmSeconds);
  for (let round = 0; round < rounds; round++) {
    quiet.push(await served(seconds));
    let over = false;
    const revoking = revoker(async () => over);
    busy.push(await served(seconds));
    over = true;
    const { tookMs, stale } = await revoking;
    underLoad.tookMs.push(...tookMs);
    underLoad.stale += stale;
  }
  return { quiet, busy, atRest, underLoad };
}

/** Revokes one key after the other, and tries each at once. */
function revokerOf(port: number, store: Store) {
  const base = `http://127.0.0.1:${port}`;
  const authorization = `Bearer ${ownerToken()}`;
  const victims = readFileSync(store.victimsFile, 'utf8').split('\n');
  let next = 0;
  return async (isOver: (revokes: Revokes) => Promise<boolean>): Promise<Revokes> => {
    const revokes: Revokes = { tookMs: [], stale: 0 };
    while (next < victims.length && !(await isOver(revokes))) {
      const id = idOf('key', store.keys + next);
      const key = victims[next++] ?? '';
      const began = performance.now();
      const answer = await fetch(`${base}/api/v1/api-keys/${id}`, { method: 'DELETE', headers: { authorization } });
      revokes.tookMs.push(performance.now() - began);
      if (answer.status !== 200) throw new Error(`a revoke was answered ${answer.status}: ${await answer.text()}`);
      await answer.arrayBuffer();
      const tried = await fetch(`${base}${PATH}`, { headers: { 'x-api-key': key } });
      await tried.arrayBuffer();
      if (tried.status !== 401) revokes.stale++;
      await sleep(PAUSE_MS);
    }
    return revokes;
  };
}
