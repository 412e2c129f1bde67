import { randomInt } from 'node:crypto';
import { keyStatus, type KeyStatus } from '../../app/domain/keyStatus.ts';
import { whoamiCurl } from '../../app/admin/shell/curl.ts';
import { connect, type Db } from '../../db/connection/connect.ts';
import { findApiKeys } from '../../db/tables/keys/apiKeys.ts';
import { belongingsOf } from '../../db/tables/people/memberships.ts';
import { listTenants } from '../../db/tables/tenants.ts';
import { hasAnyUser } from '../../db/tables/people/users.ts';
import type { Command, Result } from './command.ts';
import { CommandError, UsageError } from './commandErrors.ts';
import { Chance } from './demo/chance.ts';
import { writeHistory } from './demo/history.ts';
import { keyStory } from './demo/keyStory.ts';
import { PEOPLE, TENANTS, type PersonName } from './demo/people.ts';
import { peopleStory } from './demo/peopleStory.ts';
import { Progress } from './demo/progress.ts';
import { tenantStory } from './demo/tenantStory.ts';
import { runStory, World } from './demo/world.ts';
import { table } from './table.ts';

/** How many requests the last month of a demo has. */
const SIZES: Readonly<Record<string, number>> = { full: 200_000, small: 20_000 };

export const demoCommand: Command = {
  name: 'demo',
  about: 'Fill an empty database with a believable year, and print who can sign in and keys that work',
  options: { size: { value: 'full|small' }, seed: { value: 'NUMBER' } },
  async run({ services, now }, args) {
    const requests = SIZES[args.optional('size') ?? 'full'];
    if (requests === undefined) throw new UsageError('--size: Must be one of full, small');
    const seed = args.wholeNumber('seed') ?? randomInt(1_000_000);
    if (!services.config.sampleProduct) {
      throw new CommandError('The demo is of the sample product, which SAMPLE_PRODUCT=off takes away: leave that out.');
    }
    await refuseUnlessEmpty(services.db);

    const started = performance.now();
    const progress = new Progress(args.json ? SILENT : process.stderr);
    // Large batches may take a server longer than a request would wait.
    const db = connect(services.config.database, { queryTimeoutMs: PATIENCE_MS });
    try {
      const world = new World({ ...services, db }, now, new Chance(seed));
      await fill(world, requests, progress);
      return await resultOf(world, { seed, requests, seconds: (performance.now() - started) / 1000 });
    } finally {
      progress.end();
      await db.destroy();
    }
  },
};

const PATIENCE_MS = 60_000;

async function fill(world: World, requests: number, progress: Progress): Promise<void> {
  const story = [...peopleStory(world), ...tenantStory(world), ...keyStory(world)];
  const lived = progress.stage('People, tenants, keys');
  await runStory(world, story, (done) => lived(done / story.length));
  await writeHistory(world, requests, progress.stage('A year of requests'));
  progress.end();
}

const SILENT = { isTTY: false, write: () => true };

async function refuseUnlessEmpty(db: Db): Promise<void> {
  if (!(await hasAnyUser(db)) && (await listTenants(db)).length === 0) return;
  throw new CommandError(
    'The demo fills an empty database only, and this one is in use: name another DATA_DIR or DATABASE_URL.',
  );
}

async function resultOf(
  world: World,
  { seed, requests, seconds }: { seed: number; requests: number; seconds: number },
): Promise<Result> {
  const { publicUrl } = world.services.config;
  const people = await Promise.all((Object.keys(PEOPLE) as PersonName[]).map(async (name) => personOf(world, name)));
  const keys = await keysOf(world);
  const statuses = Object.entries(keys.statuses).map(([status, count]) => `${count} ${status}`);
  const total = Object.values(keys.statuses).reduce((sum, count) => sum + count, 0);
  const counts = { tenants: Object.keys(TENANTS).length, people: people.length, keys: total, requests };
  return {
    lines: [
      `Made in ${seconds.toFixed(1)} s with --seed ${seed}: a year of ${counts.tenants} tenants, ${counts.people} people, ` +
        `${total} keys (${statuses.join(', ')}), ${requests.toLocaleString('en')} requests in the last 30 days.`,
      '',
      `Sign in at ${publicUrl}/login; these passwords are shown this once:`,
      ...table(people.map(({ email, password, places }) => [`  ${email}`, password, places.join(', ')])),
      '',
      'Keys that work, shown this once:',
      ...table(keys.shown.map(({ key, name, tenant, scopes }) => [`  ${key}`, `${name}, ${tenant}`, scopes.join(' ')])),
      '',
      ...(keys.shown[0] ? [`Try one: ${whoamiCurl(publicUrl, keys.shown[0].key)}`] : []),
      'The server is started by npm start; one that runs on this database shows all of it already.',
    ],
    json: { seed, ...counts, statuses: keys.statuses, people, workingKeys: keys.shown },
  };
}

async function personOf(world: World, who: PersonName) {
  const { id, password } = world.person(who);
  const belongings = await belongingsOf(world.services.db, id);
  const { name, email } = PEOPLE[who];
  const places = belongings.map(({ role, tenant }) => `${role} of ${tenant.name}`);
  return { name, email, password, operator: who === 'ada', places: who === 'ada' ? ['operator', ...places] : places };
}

async function keysOf(world: World) {
  const { services, now, chains } = world;
  const statuses: Partial<Record<KeyStatus, number>> = {};
  const shown = [];
  for (const { line, ids, text } of chains) {
    const keys = await findApiKeys(services.db, world.tenant(line.tenant), ids);
    for (const status of keys.map((key) => keyStatus(key, now))) statuses[status] = (statuses[status] ?? 0) + 1;
    const newest = keys.find(({ id }) => id === ids.at(-1));
    if (!line.shown || !newest) continue;
    shown.push({ key: text, name: newest.name, tenant: TENANTS[line.tenant].name, scopes: newest.scopes });
  }
  return { statuses, shown };
}
