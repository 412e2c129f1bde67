import type { Rate } from './rate.ts';
import type { Wording } from './scopeCatalogue.ts';

/** What a plan allows; null leaves a limit to the installation, which may have none. */
export interface PlanLimits {
  /** How many keys a tenant may have that work. */
  readonly keys: number | null;
  /** How often one key may come, unless the key or the tenant's policy says otherwise. */
  readonly rateLimit: Readonly<Rate> | null;
  /** How many requests one key may make in a month, unless the key says otherwise. */
  readonly monthlyQuota: number | null;
}

export interface Plan {
  readonly id: PlanId;
  readonly name: string;
  readonly description: Wording;
  readonly limits: PlanLimits;
}

/** The plan of a new tenant. */
export const DEFAULT_PLAN = 'free';

export const PLAN_IDS = [DEFAULT_PLAN, 'starter', 'pro', 'business'] as const;
export type PlanId = (typeof PLAN_IDS)[number];

/** Every plan there is, the smallest first: a product that sells others changes them here. */
export const PLANS: readonly Plan[] = [
  {
    id: DEFAULT_PLAN,
    name: 'Free',
    description: {
      en: 'Nothing ordered: only the limits of this installation hold.',
      fr: 'Rien de commandé\u00a0: seules les limites de cette installation s’appliquent.',
    },
    limits: { keys: null, rateLimit: null, monthlyQuota: null },
  },
  {
    id: 'starter',
    name: 'Starter',
    description: {
      en: 'For one integration and the people who try it out.',
      fr: 'Pour une intégration et celles et ceux qui l’essaient.',
    },
    limits: { keys: 10, rateLimit: { limit: 300, windowSeconds: 60 }, monthlyQuota: 100_000 },
  },
  {
    id: 'pro',
    name: 'Pro',
    description: {
      en: 'For a team with services of its own.',
      fr: 'Pour une équipe qui a ses propres services.',
    },
    limits: { keys: 100, rateLimit: { limit: 1_200, windowSeconds: 60 }, monthlyQuota: 5_000_000 },
  },
  {
    id: 'business',
    name: 'Business',
    description: {
      en: 'For a product that gives keys to its own customers.',
      fr: 'Pour un produit qui donne des clés à ses propres clients.',
    },
    limits: { keys: 1_000, rateLimit: { limit: 6_000, windowSeconds: 60 }, monthlyQuota: 100_000_000 },
  },
];

/** The name of a plan; a plan that this release does not know goes by its id. */
export function planNamed(id: string): string {
  return PLANS.find((plan) => plan.id === id)?.name ?? id;
}

const LIMITS = new Map<string, PlanLimits>(PLANS.map(({ id, limits }) => [id, limits]));
const UNLIMITED: PlanLimits = { keys: null, rateLimit: null, monthlyQuota: null };

/** The limits of a plan; a plan that this release does not know adds no limit to the installation's. */
export function planLimits(plan: string): PlanLimits {
  return LIMITS.get(plan) ?? UNLIMITED;
}
