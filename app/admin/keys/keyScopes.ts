import { mayGrant } from '../../auth/authority.ts';
import type { Principal } from '../../context.ts';
import { ACTIONS, isPlatformScope, type ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import { routesByScope, type Route } from '../../http/table.ts';
import { scopeBadge } from './keyView.ts';
import type { ScopeUse } from './keyUse.ts';
import type { Texts } from '../../locales/texts.ts';

/** A scope as a checkbox in the row of its resource. */
export interface ScopeChoice {
  scope: string;
  /** The id of its box. */
  id: string;
  /** What it allows on its resource; `*` is everything. */
  action: string;
  /** The column of its row, 1 to 4; undefined where it does not fit into one. */
  column: number | undefined;
  description: string;
  strong: boolean;
  /** Whether a key with it acts as an owner. */
  owner: boolean;
  /** The number of routes that it opens. */
  opens: number;
  /** Other backends ask for it. */
  elsewhere: boolean;
  /** Scopes of other rows that include it. */
  includedIn: string[];
  checked: boolean;
  /** Whether the key has the scope now. */
  granted: boolean;
  use?: ScopeUse | undefined;
}

/** The scopes of one resource. */
export interface ScopeRow {
  name: string;
  choices: ScopeChoice[];
}

export interface ScopeGroupChoice {
  /** Undefined for scopes that the catalogue does not list. */
  id: string | undefined;
  title: string;
  rows: ScopeRow[];
  total: number;
  chosen: number;
  /** Groups with a choice, or with a scope that the key has, are not folded; the first one where there is none. */
  open: boolean;
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

/** Scopes that include those of resources other than their own. */
const WIDE = ['read', '*', 'admin:*'];

/** The columns of a resource's actions; others stand in a column that is free, where they fit. */
const COLUMNS: readonly string[] = [...ACTIONS, '*'];
const LONGEST_IN_COLUMN = 7;

/** What the form asks of the scopes. */
interface Wanted {
  checked: readonly string[];
  /** The scopes that the key has, which stay whatever is offered. */
  granted?: readonly string[];
  uses?: readonly ScopeUse[];
}

/**
 * The scopes of the form, by group and resource: those that open a route here or elsewhere and that the reader may grant,
 * none of the platform, and those that the key has or that were asked for by name.
 */
export function scopeChoices(
  principal: Principal,
  texts: Texts,
  catalogue: ScopeCatalogue,
  routes: readonly Route[],
  { checked, granted = [], uses = [] }: Wanted,
): ScopeGroupChoice[] {
  const opened = requiredScopesOf(routes);
  // A scope and its alias share a checkbox, except for an alias that the key has.
  const chosen = checked.map((scope) => (granted.includes(scope) ? scope : catalogue.meaningOf(scope)));
  const elsewhere = new Set(catalogue.scopes.filter((one) => one.elsewhere).map(({ scope }) => scope));
  const routesOf = (scope: string) => opened.filter((required) => catalogue.opens(scope, required)).length;
  const mayHave = (scope: string) => catalogue.isKnown(scope) && mayGrant(principal, scope, catalogue);
  const isOffered = (scope: string) =>
    !isPlatformScope(scope) && (elsewhere.has(scope) || routesOf(scope) > 0) && mayHave(scope);
  const wide = WIDE.filter((scope) => catalogue.isKnown(scope));
  const choice = (scope: string): ScopeChoice => {
    const action = actionOf(scope);
    return {
      ...scopeBadge(scope, texts, catalogue),
      id: `scope-${scope.replace(':', '_').replaceAll('*', 'all')}`,
      action,
      column: undefined,
      owner: catalogue.opens(scope, 'admin:write'),
      elsewhere: elsewhere.has(scope),
      opens: routesOf(scope),
      includedIn: wide.filter((one) => resourceOf(one) !== resourceOf(scope) && catalogue.opens(one, scope)),
      checked: chosen.includes(scope),
      granted: granted.includes(scope),
      use: uses.find((use) => use.scope === scope),
    };
  };
  const listed = catalogue.scopes.filter(({ scope }) => granted.includes(scope) || isOffered(scope));
  const unlisted = [...new Set([...granted, ...chosen.filter(mayHave)])].filter(
    (scope) => !listed.some((one) => one.scope === scope),
  );
  // All of a resource, which no catalogue needs to list, stands in the row of that resource.
  const groupOf = (scope: string) =>
    listed.find((one) => scope.includes(':') && resourceOf(one.scope) === resourceOf(scope))?.group;
  const groups = [
    ...catalogue.groups.map(({ id, title }) => ({ id, title: title[texts.locale] })),
    { id: undefined, title: texts.t('keys.scopes_other') },
  ];
  const shown = groups
    .map(({ id, title }) => {
      const choices = [
        ...listed.filter(({ group }) => group === id).map(({ scope }) => scope),
        ...unlisted.filter((scope) => groupOf(scope) === id),
      ].map(choice);
      const count = choices.filter((one) => one.checked).length;
      const open = choices.some((one) => one.checked || one.granted);
      return { id, title, rows: rowsOf(choices), total: choices.length, chosen: count, open };
    })
    .filter(({ total }) => total > 0);
  const first = shown[0];
  if (first && !shown.some(({ open }) => open)) first.open = true;
  return shown;
}

/** A row for each resource, in which reading comes first and everything last. */
function rowsOf(choices: readonly ScopeChoice[]): ScopeRow[] {
  return [...new Set(choices.map(({ scope }) => resourceOf(scope)))].map((name) => {
    const own = choices.filter(({ scope }) => resourceOf(scope) === name);
    const free = [1, 2, 3, 4].filter((column) => !own.some(({ action }) => columnOf(action) === column));
    const place = ({ column = 3.5 }: ScopeChoice) => column;
    return {
      name,
      choices: own
        .map((one) => ({
          ...one,
          column: columnOf(one.action) ?? (one.action.length > LONGEST_IN_COLUMN ? undefined : free.shift()),
        }))
        .sort((a, b) => place(a) - place(b)),
    };
  });
}

function columnOf(action: string): number | undefined {
  return COLUMNS.includes(action) ? COLUMNS.indexOf(action) + 1 : undefined;
}

const resourceOf = (scope: string) => scope.replace(/:.*/, '');
const actionOf = (scope: string) => scope.replace(/.*:/, '');

/** For each route below either prefix of the API once, the scope it asks for. */
function requiredScopesOf(routes: readonly Route[]): string[] {
  return [...routesByScope(routes)].flatMap(([scope, names]) => {
    const own = new Set(names.map((name) => name.replace(/^(\w+) \/api(?:\/v1)?\//, '$1 /')));
    return Array<string>(own.size).fill(scope);
  });
}
