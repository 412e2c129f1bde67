import type { Wording } from './scopeCatalogue.ts';

export const APP_IDS = ['cli', 'ci', 'zapier', 'make', 'background-worker'] as const;
export type AppId = (typeof APP_IDS)[number];

/** Something outside that works with a tenant's data by a token of its own. */
export interface App {
  readonly id: AppId;
  readonly name: string;
  readonly description: Wording;
  /** What its token may do. */
  readonly scopes: readonly string[];
}

/** Every app that can be installed, in display order: a product that offers others adds them here. */
export const APPS: readonly App[] = [
  {
    id: 'cli',
    name: 'Command line',
    description: {
      en: 'Look things up from a terminal, without signing in each time.',
      fr: 'Consulter les données depuis un terminal, sans se reconnecter à chaque fois.',
    },
    scopes: ['read'],
  },
  {
    id: 'ci',
    name: 'Continuous integration',
    description: {
      en: 'Reports builds and releases as development tasks, and keeps their files.',
      fr: 'Signale compilations et livraisons comme tâches de développement, et conserve leurs fichiers.',
    },
    scopes: ['projects:read', 'development:write', 'files:write'],
  },
  {
    id: 'zapier',
    name: 'Zapier',
    description: {
      en: 'Lets Zaps follow what happens, and create customers, orders and notifications.',
      fr: 'Permet aux Zaps de suivre l’activité et de créer clients, commandes et notifications.',
    },
    scopes: ['read', 'customers:write', 'orders:write', 'notifications:write'],
  },
  {
    id: 'make',
    name: 'Make',
    description: {
      en: 'Lets scenarios follow what happens, and keep products and stock up to date.',
      fr: 'Permet aux scénarios de suivre l’activité et de tenir à jour produits et stocks.',
    },
    scopes: ['read', 'products:write', 'inventory:write'],
  },
  {
    id: 'background-worker',
    name: 'Background worker',
    description: {
      en: 'Runs jobs on a schedule, and writes down what they did.',
      fr: 'Exécute des tâches planifiées et consigne ce qu’elles ont fait.',
    },
    scopes: ['read', 'activity:write', 'notifications:write'],
  },
];

const BY_ID = new Map<string, App>(APPS.map((app) => [app.id, app]));

/** The app of this name; undefined if there is none. */
export function findApp(id: string): App | undefined {
  return BY_ID.get(id);
}
