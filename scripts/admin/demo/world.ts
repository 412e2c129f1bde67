import type { ActionContext } from '../../../app/actions/actionContext.ts';
import type { IssuedKey } from '../../../app/actions/keys/storedKey.ts';
import { holdsScope } from '../../../app/auth/authority.ts';
import type { Person } from '../../../app/context.ts';
import { permissionsOf, type Permission } from '../../../app/domain/role.ts';
import type { Services } from '../../../app/services.ts';
import { findMembership } from '../../../db/tables/people/memberships.ts';
import { findTenant } from '../../../db/tables/tenants.ts';
import type { Chance } from './chance.ts';
import type { Line } from './line.ts';
import { PEOPLE, type PersonName, type TenantName } from './people.ts';

export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;

/** Something that happened so many days ago. */
export interface StoryEvent {
  daysAgo: number;
  run: (at: number) => Promise<unknown>;
}

/** A line with the ids of its keys, each in the place of the one before. */
export interface Chain {
  line: Line;
  ids: string[];
  /** The text of the last of them. */
  text: string;
}

/** The rows that earlier events of the story have created. */
export class World {
  readonly services: Services;
  readonly now: number;
  readonly chance: Chance;
  readonly chains: Chain[] = [];
  readonly #tenants = new Map<TenantName, string>();
  readonly #people = new Map<PersonName, { id: string; password: string }>();

  constructor(services: Services, now: number, chance: Chance) {
    this.services = services;
    this.now = now;
    this.chance = chance;
  }

  addTenant(name: TenantName, id: string): void {
    this.#tenants.set(name, id);
  }

  tenant(name: TenantName): string {
    const id = this.#tenants.get(name);
    if (id === undefined) throw new Error(`${name} is not there yet`);
    return id;
  }

  addPerson(name: PersonName, id: string, password: string): void {
    this.#people.set(name, { id, password });
  }

  person(name: PersonName): { id: string; password: string } {
    const person = this.#people.get(name);
    if (!person) throw new Error(`${name} is not there yet`);
    return person;
  }

  addChain(line: Line, { key, text }: IssuedKey): Chain {
    const chain = { line, ids: [key.id], text };
    this.chains.push(chain);
    return chain;
  }

  /** Where a person's request came from. */
  origin(name: PersonName): ActionContext['origin'] {
    const { ip, agent } = PEOPLE[name].host;
    return { ip, userAgent: agent, requestId: this.chance.uuid() };
  }

  /** A person at work, with the authority they have then; throws where the route would have asked for more. */
  async act(
    name: PersonName,
    tenant: TenantName,
    at: number,
    asked?: Permission | { scope: string },
  ): Promise<ActionContext> {
    const { db } = this.services;
    const principal = await this.#principal(name, tenant);
    if (asked !== undefined && !mayDo(principal, asked)) throw new Error(`${name} lacks ${JSON.stringify(asked)}`);
    const actor = { type: 'user', id: principal.id, name: principal.name } as const;
    return { db, now: at, tenantId: principal.tenant.id, actor, origin: this.origin(name), principal };
  }

  async #principal(name: PersonName, tenantName: TenantName): Promise<Person> {
    const { db } = this.services;
    const { id } = this.person(name);
    const tenant = await findTenant(db, this.tenant(tenantName));
    const membership = tenant && (await findMembership(db, tenant.id, id));
    if (!membership) throw new Error(`${name} is not in ${tenantName}`);
    const { role, permissions } = membership;
    const standing = { role, permissions: permissionsOf(role, permissions), operator: name === 'ada' };
    return { type: 'user', id, name: PEOPLE[name].name, tenant, ...standing };
  }
}

function mayDo(person: Person, asked: Permission | { scope: string }): boolean {
  return typeof asked === 'string' ? person.permissions.has(asked) : holdsScope(person, asked.scope);
}

/** Runs the events in their order, in working hours; `onProgress` gets the part that is done. */
export async function runStory(
  world: World,
  story: readonly StoryEvent[],
  onProgress: (done: number) => void,
): Promise<void> {
  const chance = world.chance.branch('hours');
  const ordered = [...story].sort((a, b) => b.daysAgo - a.daysAgo);
  let last = 0;
  for (const [done, { daysAgo, run }] of ordered.entries()) {
    // Messages of a ticket must keep their order.
    last = Math.max(last + chance.whole(1_000, 90_000), workingHour(world.now, daysAgo, chance));
    await run(Math.min(last, world.now - 1));
    onProgress(done + 1);
  }
}

/** Some hour of that day; of the Friday before, if nobody works then. What has just happened stays where it is. */
function workingHour(now: number, daysAgo: number, chance: Chance): number {
  const moment = now - daysAgo * DAY_MS;
  const hour = chance.between(8, 17);
  if (daysAgo < 2) return moment;
  const midnight = moment - (moment % DAY_MS);
  const weekday = new Date(midnight).getUTCDay();
  const back = weekday === 6 ? 1 : weekday === 0 ? 2 : 0;
  return midnight - back * DAY_MS + Math.floor(hour * HOUR_MS);
}
