import { changePolicy } from '../../../app/actions/tenants/changePolicy.ts';
import { confirmCheckout } from '../../../app/actions/product/confirmCheckout.ts';
import { addTicketMessage, answerTicket, closeTicket } from '../../../app/actions/product/continueTicket.ts';
import { openTicket } from '../../../app/actions/product/openTicket.ts';
import { saveDraft } from '../../../app/actions/product/saveDraft.ts';
import { startCheckout } from '../../../app/actions/product/startCheckout.ts';
import { newId } from '../../../app/domain/id.ts';
import type { PlanId } from '../../../app/domain/plan.ts';
import type { PolicyChange } from '../../../app/domain/policy.ts';
import { RESOURCES, recordSearchValues } from '../../../app/domain/resources.ts';
import { confirmedByHand } from '../../../app/actions/product/payment.ts';
import { insertRecord } from '../../../db/tables/product/records.ts';
import type { PersonName, TenantName } from './people.ts';
import { RECORDS, TICKETS, type DemoTicket } from './ticketsAndRecords.ts';
import type { StoryEvent, World } from './world.ts';

/** The other events of a tenant's year: policy, plan, tickets and records. */
export function tenantStory(world: World): StoryEvent[] {
  return [
    policyChange(world, 'ada', 'harbor', 340, { defaultRateLimit: { limit: 1200, windowSeconds: 60 } }),
    policyChange(world, 'ada', 'harbor', 172, { maxGraceSeconds: 604_800, leakAction: 'revoke' }),
    policyChange(world, 'elif', 'lumen', 294, { requireExpiry: true, maxLifetimeDays: 365 }),
    policyChange(world, 'elif', 'lumen', 292, { allowedNetworks: ['198.51.100.0/24', '2001:db8:50::/48'] }),
    policyChange(world, 'elif', 'lumen', 101, { maxGraceSeconds: 86_400, allowBearerKeys: false }),
    ...planOrders(world, 'ada', 'harbor', 359, 'starter', 'HL-2001'),
    ...planOrders(world, 'ada', 'harbor', 318, 'pro', 'HL-2002'),
    ...planOrders(world, 'elif', 'lumen', 288, 'business', 'LH-0001'),
    ...planOrders(world, 'hana', 'pico', 143, 'starter', 'PS-1'),
    planOrder(world, 'hana', 'pico', 1.5, 'pro', 'PS-2'),
    ...TICKETS.flatMap((ticket) => ticketEvents(world, ticket)),
    ...drafts(world),
    ...RECORDS.map(({ tenant, resource, daysAgo, data }) => ({
      daysAgo,
      run: async (at: number) => keepRecord(world, tenant, resource, data, at),
    })),
  ];
}

const OWNER = { harbor: 'ada', lumen: 'elif', pico: 'hana' } as const satisfies Record<TenantName, PersonName>;

function policyChange(
  world: World,
  who: PersonName,
  tenant: TenantName,
  daysAgo: number,
  change: PolicyChange,
): StoryEvent {
  return {
    daysAgo,
    run: async (at) => changePolicy(await world.act(who, tenant, at, { scope: 'admin:write' }), change),
  };
}

function planOrder(
  world: World,
  who: PersonName,
  tenant: TenantName,
  daysAgo: number,
  plan: PlanId,
  reference: string,
): StoryEvent {
  const order = async (at: number) =>
    startCheckout(await world.act(who, tenant, at, 'billing:manage'), confirmedByHand, { plan, reference });
  return { daysAgo, run: order };
}

/** The order, and its confirmation an hour or so later. */
function planOrders(...order: Parameters<typeof planOrder>): StoryEvent[] {
  const [world, who, tenant, daysAgo] = order;
  const started = planOrder(...order);
  const confirm = async (at: number) => {
    const act = await world.act(who, tenant, at, 'billing:manage');
    // The same order sent again is the same checkout.
    const { id } = (await started.run(at)) as { id: string };
    return confirmCheckout(act, confirmedByHand, id);
  };
  return [started, { daysAgo: daysAgo - 0.05, run: confirm }];
}

function ticketEvents(
  world: World,
  { tenant, by, daysAgo, subject, priority, messages, closedDaysAgo }: DemoTicket,
): StoryEvent[] {
  let id = '';
  const [first = '', ...later] = messages;
  const open = async (at: number) => openTicket(await world.act(by, tenant, at), { subject, message: first, priority });
  return [
    { daysAgo, run: async (at) => (id = (await open(at)).id) },
    ...later.map((text, place) => ({
      daysAgo: daysAgo - 0.6 * (place + 1),
      run: async (at: number) =>
        place % 2 === 0
          ? answerTicket(await world.act(OWNER[tenant], tenant, at, 'tickets:manage'), id, text)
          : addTicketMessage(await world.act(by, tenant, at), id, text),
    })),
    ...(closedDaysAgo === undefined
      ? []
      : [
          {
            daysAgo: closedDaysAgo,
            run: async (at: number) => closeTicket(await world.act(OWNER[tenant], tenant, at, 'tickets:manage'), id),
          },
        ]),
  ];
}

function drafts(world: World): StoryEvent[] {
  const saved = (daysAgo: number, content: unknown): StoryEvent => ({
    daysAgo,
    run: async (at) => saveDraft(await world.act('chloe', 'pico', at), { name: 'landing-page', content }),
  });
  return [
    saved(118, { title: 'Pico Studio', blocks: ['hero'] }),
    saved(80, { title: 'Pico Studio', blocks: ['hero', 'work', 'contact'] }),
    saved(12, { title: 'Pico Studio', blocks: ['hero', 'work', 'prices', 'contact'] }),
  ];
}

async function keepRecord(world: World, tenant: TenantName, name: string, given: unknown, at: number): Promise<void> {
  const resource = RESOURCES.find((one) => one.name === name);
  if (!resource) throw new Error(`there is no resource ${name}`);
  const data = resource.New.parse(given);
  const { db, tenantId, actor } = await world.act(OWNER[tenant], tenant, at);
  const record = {
    id: newId(at),
    tenantId,
    resource: name,
    data,
    createdBy: actor.id,
    createdWith: null,
    createdAt: at,
    updatedAt: at,
  };
  await insertRecord(db, record, recordSearchValues(resource, data));
}
