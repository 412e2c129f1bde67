import type { Locale } from './locale.ts';
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
  readonly name: Wording;
  readonly description: Wording;
  readonly limits: PlanLimits;
}

/** The plan of a tenant that has ordered none; nobody can order it, since it has no limits of its own. */
export const DEFAULT_PLAN = 'free';

/** The plans that can be ordered, the smallest first. */
export const PLAN_IDS = ['basic', 'starter', 'pro', 'business'] as const;
export type PlanId = (typeof PLAN_IDS)[number];

/** The plans that can be ordered, each of which allows more than the one before: a product that sells others changes them here. */
export const PLANS: readonly Plan[] = [
  {
    id: 'basic',
    name: { en: 'Free', fr: 'Gratuite' },
    description: {
      en: 'For trying things out, at no charge.',
      fr: 'Pour essayer, sans frais.',
    },
    limits: { keys: 5, rateLimit: { limit: 60, windowSeconds: 60 }, monthlyQuota: 10_000 },
  },
  {
    id: 'starter',
    name: { en: 'Starter', fr: 'Starter' },
    description: {
      en: 'For one integration and the people who try it out.',
      fr: 'Pour une intégration et celles et ceux qui l’essaient.',
    },
    limits: { keys: 10, rateLimit: { limit: 300, windowSeconds: 60 }, monthlyQuota: 100_000 },
  },
  {
    id: 'pro',
    name: { en: 'Pro', fr: 'Pro' },
    description: {
      en: 'For a team with services of its own.',
      fr: 'Pour une équipe qui a ses propres services.',
    },
    limits: { keys: 100, rateLimit: { limit: 1_200, windowSeconds: 60 }, monthlyQuota: 5_000_000 },
  },
  {
    id: 'business',
    name: { en: 'Business', fr: 'Business' },
    description: {
      en: 'For a product that gives keys to its own customers.',
      fr: 'Pour un produit qui donne des clés à ses propres clients.',
    },
    limits: { keys: 1_000, rateLimit: { limit: 6_000, windowSeconds: 60 }, monthlyQuota: 100_000_000 },
  },
];

const NO_PLAN: Wording = { en: 'No plan', fr: 'Aucune' };

/** The name of a plan; a plan that this release does not know goes by its id. */
export function planNamed(id: string, locale: Locale): string {
  const name = id === DEFAULT_PLAN ? NO_PLAN : PLANS.find((plan) => plan.id === id)?.name;
  return name?.[locale] ?? id;
}

const LIMITS = new Map<string, PlanLimits>(PLANS.map(({ id, limits }) => [id, limits]));
const UNLIMITED: PlanLimits = { keys: null, rateLimit: null, monthlyQuota: null };

/** The limits of a plan; none, or one that this release does not know, adds no limit to the installation's. */
export function planLimits(plan: string): PlanLimits {
  return LIMITS.get(plan) ?? UNLIMITED;
}
