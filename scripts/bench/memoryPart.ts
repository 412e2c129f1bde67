import { ownBuild, type Build } from './builds.ts';
import type { Bench } from './context.ts';
import { count, table } from './figures.ts';
import { SHOW_KEY } from './requests.ts';
import type { Store } from './stores.ts';
import { MANY_CONNECTIONS, startLatchkey } from './subjects.ts';

const ADDRESSES = 100_000;
const STEP_SECONDS = 5;
const STEPS_SHOWN = 10;

/** Whether memory stays flat while many clients come and go, and what the processor time of it all is. */
export async function memoryPart(bench: Bench): Promise<unknown> {
  const { stores, plan, print } = bench;
  const own = (await bench.latchkey()).filter(({ keys }) => keys === plan.sizes.at(-1));
  stores.pinDatabase();
  const builds = [ownBuild(), ...bench.others.filter(({ root }) => root === ownBuild().root)];
  const results: Record<string, unknown> = {};
  for (const store of own) {
    for (const build of builds) {
      const { rows, cpuMicros } = await measure(bench, store, build);
      print(
        `Memory of ${build.name} on ${store.kind}, while requests with ${count(store.keys)} keys come from ${count(ADDRESSES)} addresses; ${cpuMicros.toFixed(0)} µs of processor time each`,
      );
      print(table([['requests', 'RSS MB'], ...rows]));
      results[`${build.name}, ${store.kind}`] = { rows, cpuMicros };
    }
  }
  return results;
}

async function measure({ stores, generator, plan }: Bench, store: Store, build: Build) {
  const server = await startLatchkey(stores, store, build, { TRUSTED_HOPS: '1' });
  const rssMb = async () => (await server.report({ watch: false })).rssMb.toFixed(0);
  const rows = [['0', await rssMb()]];
  const before = await server.report({ watch: false });
  let answered = 0;
  while (answered < plan.memoryRequests) {
    const load = { port: server.port, shape: SHOW_KEY, keysFile: store.keysFile, addresses: ADDRESSES };
    answered += (await generator.run({ ...load, connections: MANY_CONNECTIONS, seconds: STEP_SECONDS })).answered;
    const shown = plan.memoryRequests / STEPS_SHOWN;
    if (answered >= rows.length * shown) rows.push([count(answered), await rssMb()]);
  }
  const after = await server.report({ watch: false });
  await server.stop();
  return { rows, cpuMicros: ((after.cpuSeconds - before.cpuSeconds) / answered) * 1e6 };
}
