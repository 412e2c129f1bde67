import type { Bench } from './context.ts';
import { count, table } from './figures.ts';
import { latchkey } from './subjects.ts';

const ADDRESSES = 100_000;
const STEP_SECONDS = 5;
const STEPS_SHOWN = 10;

/** Whether memory stays flat while many clients come and go. */
export async function memoryPart({ stores, generator, plan, ...bench }: Bench): Promise<unknown> {
  const store = (await bench.latchkey()).find(({ kind, keys }) => kind === 'MariaDB' && keys === plan.sizes.at(-1));
  if (!store) throw new Error('there is no database to measure on');
  stores.pinDatabase();
  const { server, keysFile } = await latchkey(stores, store, { TRUSTED_HOPS: '1' });
  const rows = [['0', server.rssMb().toFixed(0)]];
  for (let answered = 0; answered < plan.memoryRequests;) {
    const load = { port: server.port, keysFile, connections: 64, seconds: STEP_SECONDS, addresses: ADDRESSES };
    answered += (await generator.run(load)).answered;
    const shown = plan.memoryRequests / STEPS_SHOWN;
    if (answered >= rows.length * shown) rows.push([count(answered), server.rssMb().toFixed(0)]);
  }
  await server.stop();
  bench.print(
    `Memory of Latchkey on MariaDB, while requests with ${count(store.keys)} keys come from ${count(ADDRESSES)} addresses`,
  );
  bench.print(table([['requests', 'RSS MB'], ...rows]));
  return rows;
}
