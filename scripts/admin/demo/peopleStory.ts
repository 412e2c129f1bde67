import { systemContext } from '../../../app/actions/actionContext.ts';
import { acceptInvitation, joinWithNewAccount } from '../../../app/actions/people/answerInvitation.ts';
import { changeMember } from '../../../app/actions/people/changeMember.ts';
import { createTenant } from '../../../app/actions/tenants/createTenant.ts';
import { createUser } from '../../../app/actions/people/createUser.ts';
import { inviteMember } from '../../../app/actions/people/inviteMember.ts';
import { openSession } from '../../../app/actions/people/openSession.ts';
import { recordAuditEvent } from '../../../app/actions/auditRecord.ts';
import { setUp } from '../../../app/actions/tenants/setUp.ts';
import { recordLogin } from '../../../app/actions/people/signIn.ts';
import { changedFields } from '../../../app/domain/auditEvent.ts';
import { firstPassword } from '../../../app/auth/firstPassword.ts';
import { belongingsOf } from '../../../db/tables/people/memberships.ts';
import { changePreferences } from '../../../db/tables/people/users.ts';
import { PEOPLE, TENANTS, type Joining, type PersonName, type TenantName } from './people.ts';
import { CommandError } from '../commandErrors.ts';
import { DAY_MS, type StoryEvent, type World } from './world.ts';

const MINUTE_MS = 60_000;

/** How the tenants and their people came, and when they signed in. */
export function peopleStory(world: World): StoryEvent[] {
  const { ada, ...others } = PEOPLE;
  const { harbor, ...later } = TENANTS;
  return [
    { daysAgo: harbor.daysAgo, run: async (at) => setUpWith(world, at) },
    ...Object.entries(later).map(([name, { daysAgo }]) => ({
      daysAgo,
      run: async (at: number) => tenantArrives(world, name as TenantName, at),
    })),
    ...Object.entries(others).flatMap(([name, { joins }]) =>
      joins.map((joining) => ({
        daysAgo: joining.daysAgo,
        run: async (at: number) => personArrives(world, name as PersonName, joining, at),
      })),
    ),
    {
      daysAgo: 50,
      run: async (at) =>
        changeMember(await world.act('ada', 'harbor', at, 'members:manage'), world.person('diego').id, {
          role: 'ADMIN',
          permissions: ['api-keys:manage', 'tickets:manage'],
        }),
    },
    ...logins(world, 'ada', ada.loginsAWeek, harbor.daysAgo - 1),
    ...Object.entries(others).flatMap(([name, { loginsAWeek, joins }]) =>
      logins(world, name as PersonName, loginsAWeek, (joins[0]?.daysAgo ?? 1) - 1),
    ),
    { daysAgo: 33, run: async (at) => failedLogin(world, 'ben', at) },
    { daysAgo: 6, run: async (at) => failedLogin(world, 'elif', at) },
    ...(['ada', 'elif', 'hana'] as const).map((name, place) => ({
      daysAgo: ((3 + 4 * place) * MINUTE_MS) / DAY_MS,
      run: async (at: number) => signedIn(world, name, at, { stays: true }),
    })),
  ];
}

/** Sets up as the set-up page does; throws if a person exists already. */
async function setUpWith(world: World, at: number): Promise<void> {
  const { name, email } = PEOPLE.ada;
  const password = firstPassword();
  const act = { db: world.services.db, now: at, origin: world.origin('ada') };
  const made = await setUp(act, { name, email, password, tenantName: TENANTS.harbor.name });
  if (!made) throw new CommandError('Somebody has just been set up in this database.');
  world.addPerson('ada', made.user.id, password);
  world.addTenant('harbor', made.tenant.id);
}

async function tenantArrives(world: World, name: TenantName, at: number): Promise<void> {
  const act = await world.act('ada', 'harbor', at);
  world.addTenant(name, (await createTenant(act, { name: TENANTS[name].name })).id);
}

async function personArrives(world: World, who: PersonName, joining: Joining, at: number): Promise<void> {
  const { tenant, by, role, permissions } = joining;
  const { name, email, locale, joins } = PEOPLE[who];
  const { db } = world.services;
  if (by === undefined) {
    const password = firstPassword();
    const act = systemContext(db, world.tenant(tenant), at);
    world.addPerson(
      who,
      (await createUser(act, { email, name, password, vouched: true, membership: { role } })).id,
      password,
    );
  } else {
    const act = await world.act(by, tenant, at, 'members:manage');
    const { invitation } = await inviteMember(act, { email, role, permissions });
    const answering = { db, now: at, origin: world.origin(who) };
    const password = firstPassword();
    const made = await joinWithNewAccount(answering, invitation, { name, password });
    if (made) world.addPerson(who, made.id, password);
    else await acceptInvitation(answering, invitation, world.person(who).id);
  }
  if (locale && joining === joins[0]) await changePreferences(db, world.person(who).id, { locale });
}

function logins(world: World, name: PersonName, aWeek: number, sinceDaysAgo: number): StoryEvent[] {
  const chance = world.chance.branch(`logins of ${name}`);
  const story: StoryEvent[] = [];
  for (let daysAgo = sinceDaysAgo; daysAgo > 1; daysAgo -= chance.between(2, 12) / aWeek) {
    story.push({ daysAgo, run: async (at) => signedIn(world, name, at) });
  }
  return story;
}

/** The rows of a login without the work of checking a password. */
async function signedIn(world: World, name: PersonName, at: number, { stays = false } = {}): Promise<void> {
  const { db } = world.services;
  const { id } = world.person(name);
  const tenantId = (await belongingsOf(db, id))[0]?.tenantId ?? null;
  const origin = world.origin(name);
  const act = { db, now: at, origin };
  await recordLogin(act, { id, name: PEOPLE[name].name, email: PEOPLE[name].email }, tenantId);
  if (stays) await openSession(act, { userId: id, tenantId, formerToken: undefined });
}

async function failedLogin(world: World, name: PersonName, at: number): Promise<void> {
  const { db } = world.services;
  const { id } = world.person(name);
  const tenantId = (await belongingsOf(db, id))[0]?.tenantId ?? null;
  const actor = { type: 'anonymous', id: null, name: null } as const;
  const occasion = { tenantId, now: at, origin: world.origin(name), actor };
  const { email } = PEOPLE[name];
  await recordAuditEvent(db, occasion, { action: 'LOGIN_FAILED', entityId: id, ...changedFields(null, { email }) });
}
