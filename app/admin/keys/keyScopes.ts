import { mayGrant } from '../../auth/authority.ts';
import type { Principal } from '../../context.ts';
import type { ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import { routesByScope, type Route } from '../../http/table.ts';
import { scopeBadge } from './keyView.ts';
import type { ScopeUse } from './keyUse.ts';
import type { Texts } from '../../locales/texts.ts';

/** A scope as a checkbox of the form. */
export interface ScopeChoice {
  scope: string;
  /** The id of its box. */
  id: string;
  description: string;
  strong: boolean;
  /** The number of routes that it opens. */
  opens: number;
  /** Other backends ask for it. */
  elsewhere: boolean;
  checked: boolean;
  /** Whether the key has the scope now. */
  granted: boolean;
  use?: ScopeUse | undefined;
}

export interface ScopeGroupChoice {
  id: string;
  title: string;
  /** Whether the group has a "select all" box; groups with far-reaching scopes have none. */
  together: boolean;
  scopes: ScopeChoice[];
}

/** Sets of scopes that fit what keys of the sample product are mostly made for. */
const PRESETS = {
  readOnly: ['read'],
  ci: ['read', 'projects:write', 'files:write', 'builder:write'],
  integration: ['read', 'customers:write', 'orders:write', 'products:write', 'inventory:write', 'notifications:write'],
} as const;

/** The presets of which the catalogue has every scope. */
export function presetsIn(catalogue: ScopeCatalogue): [name: string, scopes: readonly string[]][] {
  return Object.entries(PRESETS).filter(([, scopes]) => scopes.every((scope) => catalogue.isKnown(scope)));
}

const GROUPS_WITHOUT_SELECT_ALL = new Set(['platform', 'everything']);

/**
 * The grouped scopes of the form: those that open a route here or elsewhere and that the reader may grant, and those that
 * the key has.
 */
export function scopeChoices(
  principal: Principal,
  texts: Texts,
  catalogue: ScopeCatalogue,
  routes: readonly Route[],
  {
    checked,
    granted = [],
    uses = [],
  }: { checked: readonly string[]; granted?: readonly string[]; uses?: readonly ScopeUse[] },
): ScopeGroupChoice[] {
  const opened = requiredScopesOf(routes);
  // A scope and its alias share a checkbox, except for an alias that the key has.
  const chosen = checked.map((scope) => (granted.includes(scope) ? scope : catalogue.meaningOf(scope)));
  const choice = (scope: string): ScopeChoice => ({
    ...scopeBadge(scope, texts, catalogue),
    id: `scope-${scope.replace(':', '-').replaceAll('*', 'all')}`,
    elsewhere: catalogue.scopes.some((one) => one.scope === scope && one.elsewhere),
    opens: opened.filter((required) => catalogue.opens(scope, required)).length,
    checked: chosen.includes(scope),
    granted: granted.includes(scope),
    use: uses.find((use) => use.scope === scope),
  });
  const groups = catalogue.groups.map(({ id, title }) => ({
    id,
    title: title[texts.locale],
    together: !GROUPS_WITHOUT_SELECT_ALL.has(id),
    scopes: catalogue.scopes
      .filter(({ group }) => group === id)
      .map(({ scope }) => choice(scope))
      .filter((one) => one.granted || ((one.opens > 0 || one.elsewhere) && mayGrant(principal, one.scope, catalogue))),
  }));
  const others = granted.filter((scope) => !catalogue.scopes.some((one) => one.scope === scope));
  const all = [
    ...groups,
    { id: 'others', title: texts.t('keys.scopes_other'), together: false, scopes: others.map(choice) },
  ];
  return all.filter(({ scopes }) => scopes.length > 0);
}

/** For each route below either prefix of the API once, the scope it asks for. */
function requiredScopesOf(routes: readonly Route[]): string[] {
  return [...routesByScope(routes)].flatMap(([scope, names]) => {
    const own = new Set(names.map((name) => name.replace(/^(\w+) \/api(?:\/v1)?\//, '$1 /')));
    return Array<string>(own.size).fill(scope);
  });
}
