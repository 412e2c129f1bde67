import { RESOURCES as RECORDED } from './resources.ts';
import { covers, normaliseScope, ScopeSet, verbFirst } from './scope.ts';

/** A text in both languages of the product. */
export interface Wording {
  en: string;
  fr: string;
}

/** Groups in display order; what reaches furthest comes last and stands alone, away from a "select all". */
export const GROUPS = [
  { id: 'general', title: { en: 'General', fr: 'Général' } },
  { id: 'records', title: { en: 'Business records', fr: 'Données métier' } },
  { id: 'workspace', title: { en: 'Workspace', fr: 'Espace de travail' } },
  { id: 'services', title: { en: 'Product services', fr: 'Services du produit' } },
  { id: 'administration', title: { en: 'Administration', fr: 'Administration' } },
  { id: 'keys', title: { en: 'API keys', fr: 'Clés d’API' } },
  { id: 'platform', title: { en: 'Platform (operators only)', fr: 'Plateforme (opérateurs seulement)' } },
  { id: 'everything', title: { en: 'Full access', fr: 'Accès complet' } },
] as const satisfies readonly { id: string; title: Wording }[];

export type ScopeGroup = (typeof GROUPS)[number]['id'];

export interface CatalogueScope {
  scope: string;
  /** Another name of the same scope: the one with the verb first, or one that is stored and shown as it was given. */
  alias?: string;
  group: ScopeGroup;
  description: Wording;
}

/** What can be done with an ordinary resource; each action is a scope of its own, beside `resource:*`. */
export const ACTIONS = ['read', 'write', 'delete'] as const;

/** An ordinary resource: its name, its things in the plural, and what a reader gains. */
type Resource = readonly [name: string, en: string, fr: string, readEn: string, readFr: string];

const RECORDS: readonly Resource[] = [
  [
    'projects',
    'projects',
    'les projets',
    'See projects and how far they have come.',
    'Suivre l’avancement des projets.',
  ],
  ['inventory', 'stock items', 'les articles en stock', 'See what is in stock.', 'Voir ce qui est en stock.'],
  ['products', 'products', 'les produits', 'See the products on offer.', 'Consulter les produits proposés.'],
  ['orders', 'orders', 'les commandes', 'Follow orders and what was ordered.', 'Suivre les commandes et leur contenu.'],
  [
    'customers',
    'customers',
    'les clients',
    'Look up customers and their details.',
    'Retrouver les clients et leur fiche.',
  ],
  ['files', 'files', 'les fichiers', 'See which files are kept.', 'Voir quels fichiers sont conservés.'],
];

const WORKSPACE: readonly Resource[] = [
  ['notifications', 'notifications', 'les notifications', 'See notifications.', 'Consulter les notifications.'],
  ['activity', 'activity entries', 'les activités', 'Follow what has been going on.', 'Suivre ce qui s’est passé.'],
  ['dashboard', 'dashboard panels', 'les tableaux de bord', 'See the dashboards.', 'Voir les tableaux de bord.'],
  ['docs', 'documents', 'les documents', 'Read the documents.', 'Lire les documents.'],
  [
    'development',
    'development tasks',
    'les tâches de développement',
    'Follow development.',
    'Suivre le développement.',
  ],
];

const ADMINISTRATION: readonly Resource[] = [
  [
    'users',
    'users',
    'les utilisateurs',
    'Look up users and their profiles.',
    'Retrouver les utilisateurs et leur profil.',
  ],
  [
    'members',
    'members',
    'les membres',
    'See who belongs to the organisation.',
    'Voir qui fait partie de l’organisation.',
  ],
  ['modules', 'modules', 'les modules', 'See which modules are in use.', 'Voir quels modules sont utilisés.'],
  ['settings', 'settings', 'les paramètres', 'See how things are set up.', 'Voir comment tout est configuré.'],
  ['webhooks', 'webhooks', 'les webhooks', 'See where events are sent.', 'Voir où les événements sont envoyés.'],
];

const WORDED: readonly Resource[] = [...RECORDS, ...WORKSPACE, ...ADMINISTRATION];

/** Resources without a description yet are named by their id, among the business records. */
const UNWORDED: readonly Resource[] = RECORDED.filter(({ name }) => !WORDED.some(([worded]) => worded === name)).map(
  ({ name }) => {
    const fr = `les données «\u00a0${name}\u00a0»`;
    return [name, name, fr, `See ${name}.`, `Voir ${fr}.`];
  },
);

/** Resources that go by another name too. */
const RENAMED: Readonly<Record<string, string>> = { support: 'tickets' };

/** Every scope that may be granted, in display order. */
export const CATALOGUE: readonly CatalogueScope[] = [
  ...inGroup('general', [
    [
      'read',
      'Read all ordinary data and the audit log (for people, that is audit:read); administration stays closed.',
      'Lire toutes les données courantes et le journal d’audit (audit:read pour une personne), sans l’administration.',
    ],
    ['self:read', 'See whom the key belongs to.', 'Voir à qui appartient la clé.'],
    [
      'self:write',
      'Change the name and description of the key itself, and see whom it belongs to.',
      'Changer le nom et la description de la clé elle-même, et voir à qui elle appartient.',
    ],
  ]),
  ...inGroup('records', [...RECORDS, ...UNWORDED].flatMap(ordinaryScopes)),
  ...inGroup('workspace', WORKSPACE.flatMap(ordinaryScopes)),
  ...inGroup('services', [
    ['builder:read', 'See the drafts saved in the builder.', 'Voir les brouillons de l’éditeur.'],
    ['builder:write', 'Save drafts in the builder, and see them.', 'Enregistrer et voir les brouillons de l’éditeur.'],
    [
      'marketplace:read',
      'See which apps there are and which are installed.',
      'Voir les applications proposées et celles qui sont installées.',
    ],
    [
      'marketplace:install',
      'Install and remove apps that need no more than this key has.',
      'Installer et retirer des applications, sans dépasser les accès de cette clé.',
    ],
    ['support:read', 'Follow support tickets.', 'Suivre les demandes d’assistance.'],
    ['support:write', 'Open support tickets, and follow them.', 'Ouvrir des demandes d’assistance et les suivre.'],
    [
      'support:delete',
      'Delete support tickets. Reading is not included.',
      'Supprimer des demandes d’assistance. La lecture n’est pas comprise.',
    ],
    ['support:*', 'Do everything with support tickets.', 'Tout faire avec les demandes d’assistance.'],
    [
      'billing:read',
      'See the current plan and changes waiting for an owner.',
      'Voir l’offre en cours et les changements en attente.',
    ],
    [
      'billing:write',
      'Prepare a change of plan, which an owner then confirms.',
      'Préparer un changement d’offre, qu’un propriétaire confirme ensuite.',
    ],
  ]),
  ...inGroup('administration', [
    ...ADMINISTRATION.flatMap(ordinaryScopes),
    ['users:manage', 'Invite users and change what they may do.', 'Inviter des utilisateurs et changer leurs droits.'],
    ['admin:read', 'See the security policy for keys.', 'Voir les règles de sécurité des clés.'],
    [
      'admin:write',
      'Change the security policy for keys, but not whether keys manage keys; the key acts as an owner.',
      'Changer les règles de sécurité des clés, sauf le droit des clés de gérer des clés, avec le rôle de propriétaire.',
    ],
    [
      'admin:*',
      'All of the security policy, users, modules, settings and webhooks; the key acts as an owner.',
      'Toutes les règles de sécurité, les utilisateurs, modules, paramètres et webhooks, avec le rôle de propriétaire.',
    ],
  ]),
  ...inGroup('keys', [
    ['keys:verify', 'Check, from another service, whether a key is good.', 'Vérifier une clé depuis un autre service.'],
    [
      'api-keys:read',
      'See the list of keys, never their secret text, if the policy lets keys do so.',
      'Voir la liste des clés, jamais leur texte secret, si les règles le permettent aux clés.',
    ],
    [
      'api-keys:write',
      'Create, change, rotate and revoke keys with no more access than this one, if the policy lets keys do so.',
      'Créer, modifier, renouveler et révoquer des clés sans plus d’accès que celle-ci, si les règles le permettent.',
    ],
  ]),
  ...inGroup('platform', [
    ['platform:verify', 'Check keys of every organisation.', 'Vérifier les clés de toutes les organisations.'],
    [
      'platform:tenants',
      'Create, change and suspend organisations.',
      'Créer, modifier et suspendre des organisations.',
    ],
    ['platform:routes', 'Decide which scope a proxied path wants.', 'Choisir l’accès exigé pour chaque chemin relayé.'],
    ['platform:*', 'Everything an operator’s key may do.', 'Tout ce que peut faire la clé d’un opérateur.'],
  ]),
  ...inGroup('everything', [
    [
      '*',
      'Everything in the organisation, but nothing of the platform; the key acts as an owner.',
      'Tout dans l’organisation, mais rien de la plateforme, avec le rôle de propriétaire.',
    ],
  ]),
];

/** What each alias that is stored under its own name stands for. */
const MEANINGS = new Map(
  CATALOGUE.flatMap(({ scope, alias }) =>
    alias === undefined || normaliseScope(alias) !== alias ? [] : [[alias, scope] as const],
  ),
);
const ALIASES = new Map([...MEANINGS].map(([alias, scope]) => [scope, alias]));

const KNOWN = new Set([...CATALOGUE.map(({ scope }) => scope), ...MEANINGS.keys()].flatMap(withWholeResource));

function withWholeResource(scope: string): string[] {
  return [scope, scope.replace(/:.*/, ':*')];
}

/** Whether a normalised scope may be granted: one of the catalogue or its alias, or all of one of their resources. */
export function isKnownScope(scope: string): boolean {
  return KNOWN.has(scope);
}

/** The scope that this one is an alias of, or the scope itself in its one spelling. */
export function meaningOf(scope: string): string {
  const normal = normaliseScope(scope) ?? scope;
  return MEANINGS.get(normal) ?? normal;
}

/** Every name under which this scope of the catalogue may be stored. */
export function namesOf(scope: string): string[] {
  const alias = ALIASES.get(scope);
  return alias === undefined ? [scope] : [scope, alias];
}

/** Whether a granted scope opens what is required, under whatever names both go: `covers` of what they stand for. */
export function opens(granted: string, required: string): boolean {
  return covers(meaningOf(granted), meaningOf(required));
}

/** The scopes of one key, which keep their names and open what they stand for. */
export function scopeSetOf(scopes: readonly string[]): ScopeSet {
  return ScopeSet.of(scopes, meaningOf);
}

/** Whether a scope reaches across tenants, so that only an operator may grant it. */
export function isPlatformScope(scope: string): boolean {
  return opens('platform:*', scope);
}

type Line = readonly [scope: string, en: string, fr: string];

function inGroup(group: ScopeGroup, lines: readonly Line[]): CatalogueScope[] {
  return lines.map(([scope, en, fr]) => {
    const alias = aliasOf(scope);
    return { scope, ...(alias !== undefined && { alias }), group, description: { en, fr } };
  });
}

function aliasOf(scope: string): string | undefined {
  if (scope === '*') return '*:*';
  const [resource = '', action = ''] = scope.split(':');
  const renamed = Object.hasOwn(RENAMED, resource) ? RENAMED[resource] : undefined;
  return renamed === undefined ? verbFirst(scope) : `${renamed}:${action}`;
}

function ordinaryScopes([name, en, fr, readEn, readFr]: Resource): Line[] {
  const sentences = {
    read: [readEn, readFr],
    write: [`Create and change ${en}. Reading is included.`, `Créer et modifier ${fr}. La lecture est comprise.`],
    delete: [`Delete ${en}. Reading is not included.`, `Supprimer ${fr}. La lecture n’est pas comprise.`],
    '*': [`Do everything with ${en}, deleting included.`, `Tout faire avec ${fr}, suppression comprise.`],
  } as const;
  return [...ACTIONS, '*' as const].map((action) => [`${name}:${action}`, ...sentences[action]]);
}
