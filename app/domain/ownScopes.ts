import { inGroup, ordinaryScopes, type DescribedScope, type WordedResource } from './describedScope.ts';

const ADMINISTRATION: readonly WordedResource[] = [
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
  ['settings', 'settings', 'les paramètres', 'See how things are set up.', 'Voir comment tout est configuré.'],
];

/** The scopes of Latchkey's own routes, which are always there and mean the same in every installation. */
export const OWN_SCOPES: readonly DescribedScope[] = [
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
    [
      'platform:scopes',
      'Decide which scopes there are, and how they are described.',
      'Choisir les accès proposés et leur description.',
    ],
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
