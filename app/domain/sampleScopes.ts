import { inGroup, ordinaryScopes, type DescribedScope, type WordedResource } from './describedScope.ts';
import { RESOURCES } from './resources.ts';

const RECORDS: readonly WordedResource[] = [
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

const WORKSPACE: readonly WordedResource[] = [
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

const ADMINISTRATION: readonly WordedResource[] = [
  ['modules', 'modules', 'les modules', 'See which modules are in use.', 'Voir quels modules sont utilisés.'],
  ['webhooks', 'webhooks', 'les webhooks', 'See where events are sent.', 'Voir où les événements sont envoyés.'],
];

const WORDED: readonly WordedResource[] = [...RECORDS, ...WORKSPACE, ...ADMINISTRATION];

/** Resources without a description yet are named by their id, among the business records. */
const UNWORDED: readonly WordedResource[] = RESOURCES.filter(
  ({ name }) => !WORDED.some(([worded]) => worded === name),
).map(({ name }) => {
  const fr = `les données «\u00a0${name}\u00a0»`;
  return [name, name, fr, `See ${name}.`, `Voir ${fr}.`];
});

/** Resources that go by another name too. */
const RENAMED = new Map([['support', 'tickets']]);

/** The scopes of the sample product, which a fresh installation offers until operators name those of their own product. */
export const SAMPLE_SCOPES: readonly DescribedScope[] = [
  ...inGroup('records', [...RECORDS, ...UNWORDED].flatMap(ordinaryScopes)),
  ...inGroup('workspace', WORKSPACE.flatMap(ordinaryScopes)),
  ...inGroup(
    'services',
    [
      ['builder:read', 'See the drafts saved in the builder.', 'Voir les brouillons de l’éditeur.'],
      [
        'builder:write',
        'Save drafts in the builder, and see them.',
        'Enregistrer et voir les brouillons de l’éditeur.',
      ],
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
    ],
    RENAMED,
  ),
  ...inGroup('administration', ADMINISTRATION.flatMap(ordinaryScopes)),
];
