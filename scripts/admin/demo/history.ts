import { newId } from '../../../app/domain/id.ts';
import { scopeSetOf } from '../../../app/domain/scopeCatalogue.ts';
import { UsageTotals } from '../../../app/usage/usageTotals.ts';
import type { JournalEntry } from '../../../app/usage/usageEvent.ts';
import { UsageWriter } from '../../../app/usage/usageWriter.ts';
import { createRoutes } from '../../../app/routes.ts';
import { findApiKeys } from '../../../db/tables/keys/apiKeys.ts';
import type { Chance } from './chance.ts';
import { writeCounts } from './counts.ts';
import { Spending } from './spending.ts';
import type { Line } from './line.ts';
import { burstsOf, requestsOf, shareOut, type Burst, type Span } from './traffic.ts';
import { DAY_MS, type Chain, type World } from './world.ts';

/** How long the product keeps each request; of older ones it has the counts of their hours. */
const RAW_MS = 30 * DAY_MS;
/** A new key comes into use only a while after it is made. */
const HANDING_OVER_MS = 10 * 60_000;
/** The requests of all programs in a month without thinning. */
const FULL_SIZE = 200_000;
/** How many visits of a key a smaller demo leaves in any case. */
const LAST_KEPT = 3;
/** Requests of one transaction. */
const BATCH = 5_000;

/**
 * Writes the usage of all keys: the requested number of requests for the last month, and proportional counts for the
 * months before. `onProgress` gets the part that is done, from 0 to 1.
 */
export async function writeHistory(world: World, requests: number, onProgress: (part: number) => void): Promise<void> {
  const { services, now } = world;
  const programs = await Promise.all(world.chains.map(async (chain) => programOf(world, chain)));
  const bursts = allBursts(world, programs, requests);
  const older = bursts.filter(({ at }) => at < now - RAW_MS);
  const recent = bursts.filter(({ at }) => at >= now - RAW_MS);
  shareOut(recent, requests);
  const perWeight = requests / weightOf(recent);
  for (const burst of older) burst.requests = Math.max(1, Math.round(burst.weight * perWeight));

  const chance = world.chance.branch('requests');
  const spending = new Spending(programs.map(({ spans }) => spans.map(({ key }) => key)));
  let done = 0;
  const note = (batch: Batch): void => {
    spending.add(batch.uses);
    done += batch.bursts;
    onProgress(done / bursts.length);
  };
  for (const batch of batches(older, chance)) {
    await writeCounts(services.db, batch.uses);
    note(batch);
  }
  // As if by one process that has been up for a month.
  const processId = newId(now - RAW_MS);
  const writer = new UsageWriter(services.db);
  let sequence = 0;
  for (const batch of batches(recent, chance)) {
    const place = { processId, sequence: sequence++ };
    const totals = new UsageTotals();
    for (const use of batch.uses) totals.add(use);
    await writer.writeUses([{ batch: place, uses: batch.uses, json: JSON.stringify(batch.uses) }]);
    await writer.writeSums([{ batches: [place], totals }]);
    note(batch);
  }
  await spending.write(services.db);
}

interface Program {
  line: Line;
  spans: Span[];
}

/** The keys of a program, each with the time in which it could be shown. */
async function programOf(world: World, { line, ids }: Chain): Promise<Program> {
  const { services, now } = world;
  const keys = await findApiKeys(services.db, world.tenant(line.tenant), ids);
  const spans = ids.flatMap((id) => {
    const key = keys.find((one) => one.id === id);
    if (!key) return [];
    const ends = [key.revokedAt, key.expiresAt, key.graceEndsAt].filter((end) => end !== null);
    const from = key.createdAt + HANDING_OVER_MS;
    return [{ key, scopes: scopeSetOf(key.scopes), from, until: Math.min(now, ...ends) }];
  });
  return { line, spans };
}

/** Every visit of every program, oldest first. */
function allBursts({ services, now, chance }: World, programs: readonly Program[], requests: number): Burst[] {
  const routes = createRoutes(services).table;
  const bursts: Burst[] = [];
  for (const { line, spans } of programs) {
    const own = chance.branch(`traffic of ${line.tenant} ${line.key.name}`);
    bursts.push(...thinned(burstsOf(line, spans, routes, now, own), Math.min(1, requests / FULL_SIZE), own));
  }
  return bursts.sort((a, b) => a.at - b.at);
}

/** A part of the visits, none of the last ones of any key missing. */
function thinned(bursts: readonly Burst[], part: number, chance: Chance): Burst[] {
  const later = new Map<string, number>();
  return bursts.toReversed().filter(({ span }) => {
    const place = later.get(span.key.id) ?? 0;
    later.set(span.key.id, place + 1);
    return place < LAST_KEPT || chance.happens(part);
  });
}

interface Batch {
  uses: JournalEntry[];
  bursts: number;
}

function* batches(bursts: readonly Burst[], chance: Chance): Generator<Batch> {
  let batch: Batch = { uses: [], bursts: 0 };
  for (const burst of bursts) {
    batch.uses.push(...requestsOf(burst, chance));
    batch.bursts++;
    if (batch.uses.length < BATCH) continue;
    yield batch;
    batch = { uses: [], bursts: 0 };
  }
  if (batch.bursts > 0) yield batch;
}

function weightOf(bursts: readonly Burst[]): number {
  return bursts.reduce((sum, { weight }) => sum + weight, 0);
}
