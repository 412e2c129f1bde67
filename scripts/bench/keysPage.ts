import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ServerUnderTest } from './children.ts';
import { medianOf } from './figures.ts';
import { SESSION_TOKEN } from './seedLists.ts';
import type { Stores } from './stores.ts';

const TIMES = 100;
/** Until V8 has compiled what both servers do for a page, as it has in one that has run for a while. */
const WARM_UP = 300;
const HEADERS = { cookie: `latchkey=${SESSION_TOKEN}`, 'accept-encoding': 'gzip' };

/** The page of keys in the admin interface beside the same bytes sent as they are: as times, and as work of the server. */
export async function keysPage(
  stores: Stores,
  app: ServerUnderTest,
  kind: string,
): Promise<{ text: string; ratio: number; cpuRatio: number }> {
  const page = `http://127.0.0.1:${app.port}/admin/org/tenant-000000/api-keys`;
  const html = await loaded(page);
  const file = path.join(stores.folder, `keys-${kind}.html`);
  await writeFile(file, html);
  const still = await stores.startServer('dist/scripts/bench/staticPage.js', { PAGE_FILE: file });
  const subjects = [
    { server: app, url: page, ms: [] as number[], cpuSeconds: 0 },
    { server: still, url: `http://127.0.0.1:${still.port}/`, ms: [] as number[], cpuSeconds: 0 },
  ];
  for (let time = -WARM_UP; time < TIMES; time++) {
    for (const subject of subjects) {
      if (time === 0) subject.cpuSeconds = (await subject.server.report({ watch: false })).cpuSeconds;
      const began = performance.now();
      await loaded(subject.url);
      if (time >= 0) subject.ms.push(performance.now() - began);
    }
  }
  const [own, other] = (await Promise.all(
    subjects.map(async ({ server, ms, cpuSeconds }) => {
      const used = (await server.report({ watch: false })).cpuSeconds - cpuSeconds;
      return { ms: medianOf(ms), cpuMs: (used / TIMES) * 1_000 };
    }),
  )) as [Cost, Cost];
  await still.stop();
  const [ratio, cpuRatio] = [own.ms / other.ms, own.cpuMs / other.cpuMs];
  const size = `${Math.round(html.length / 1024)} KB`;
  const text = `${kind}: the admin page of 50 keys takes ${own.ms.toFixed(1)} ms, the same ${size} as a static page ${other.ms.toFixed(1)} ms: ${ratio.toFixed(1)} times as long (processor time of the server ${own.cpuMs.toFixed(1)} and ${other.cpuMs.toFixed(1)} ms)`;
  return { text, ratio, cpuRatio };
}

interface Cost {
  ms: number;
  cpuMs: number;
}

async function loaded(url: string): Promise<string> {
  const answer = await fetch(url, { headers: HEADERS, redirect: 'manual' });
  if (answer.status !== 200) throw new Error(`${url} was answered ${answer.status}`);
  return answer.text();
}
