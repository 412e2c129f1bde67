import { verbFirst } from './scope.ts';

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

/** The id of a group in display order. */
export type ScopeGroup = (typeof GROUPS)[number]['id'];

/** A scope that may be granted, as a catalogue describes it. */
export interface DescribedScope {
  scope: string;
  /** Another name of the same scope: the one with the verb first, or one that is stored and shown as it was given. */
  alias?: string;
  /** The id of one of `GROUPS`, or an operator's own words. */
  group: string;
  description: Wording;
}

/** What can be done with an ordinary resource; each action is a scope of its own, beside `resource:*`. */
export const ACTIONS = ['read', 'write', 'delete'] as const;

/** An ordinary resource in words: its name, its things in the plural, and what a reader gains. */
export type WordedResource = readonly [name: string, en: string, fr: string, readEn: string, readFr: string];

/** A scope and its description in both languages. */
export type ScopeLine = readonly [scope: string, en: string, fr: string];

/** The described scopes of one group; `aliases` names resources that go by another name too. */
export function inGroup(
  group: ScopeGroup,
  lines: readonly ScopeLine[],
  aliases: ReadonlyMap<string, string> = new Map(),
): DescribedScope[] {
  return lines.map(([scope, en, fr]) => {
    const alias = aliasOf(scope, aliases);
    return { scope, ...(alias !== undefined && { alias }), group, description: { en, fr } };
  });
}

function aliasOf(scope: string, aliases: ReadonlyMap<string, string>): string | undefined {
  if (scope === '*') return '*:*';
  const [resource = '', action = ''] = scope.split(':');
  const renamed = aliases.get(resource);
  return renamed === undefined ? verbFirst(scope) : `${renamed}:${action}`;
}

/** The four scopes of an ordinary resource. */
export function ordinaryScopes([name, en, fr, readEn, readFr]: WordedResource): ScopeLine[] {
  const sentences = {
    read: [readEn, readFr],
    write: [`Create and change ${en}. Reading is included.`, `Créer et modifier ${fr}. La lecture est comprise.`],
    delete: [`Delete ${en}. Reading is not included.`, `Supprimer ${fr}. La lecture n’est pas comprise.`],
    '*': [`Do everything with ${en}, deleting included.`, `Tout faire avec ${fr}, suppression comprise.`],
  } as const;
  return [...ACTIONS, '*' as const].map((action) => [`${name}:${action}`, ...sentences[action]]);
}
