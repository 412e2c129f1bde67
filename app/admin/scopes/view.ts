import type { ProductScope } from '../../domain/productScopes.ts';
import type { HeldScope } from '../../actions/installation/replaceScopes.ts';
import { GROUPS, UNGROUPED } from '../../domain/scopeCatalogue.ts';
import type { Texts } from '../../locales/texts.ts';

export const HOME = '/admin/scopes';
/** Keys that hold a scope are counted up to here; beyond it the page shows a plus. */
export const MOST_HOLDERS = 1_000;

/** So many scopes can be read at once; the groups of more are folded. */
const MOST_UNFOLDED = 40;

/** The fields of the form of one scope, as text. */
export const FIELDS = ['scope', 'group', 'en', 'fr', 'alias'] as const;
export type ScopeFields = Readonly<Record<(typeof FIELDS)[number], string>>;

/** The scopes of the product by group, each with how many keys hold it under any of its names. */
export function presentScopesPage(
  scopes: readonly ProductScope[],
  held: readonly HeldScope[],
  texts: Pick<Texts, 'locale' | 'number'>,
) {
  const keysOf = new Map(held.map(({ scope, keys }) => [scope, keys]));
  const rows = scopes.map((entry) => {
    const keys = [entry.scope, entry.alias ?? ''].reduce((sum, name) => sum + (keysOf.get(name) ?? 0), 0);
    return {
      ...entry,
      keys: keys > MOST_HOLDERS ? `${texts.number(MOST_HOLDERS)}+` : texts.number(keys),
      query: queryOf(entry),
    };
  });
  const groups = [...new Set(rows.map(({ group = UNGROUPED.id }) => group))];
  return groups.map((id) => ({
    open: groups.length === 1 || rows.length <= MOST_UNFOLDED,
    title: [...GROUPS, UNGROUPED].find((group) => group.id === id)?.title[texts.locale] ?? id,
    rows: rows.filter(({ group = UNGROUPED.id }) => group === id),
  }));
}

/** The address part that names a scope. */
function queryOf({ scope }: ProductScope): string {
  return new URLSearchParams({ scope }).toString();
}

/** The names under which keys may hold the scopes. */
export function namesOfAll(scopes: readonly ProductScope[]): string[] {
  return scopes.flatMap(({ scope, alias }) => [scope, ...(alias === undefined || alias === scope ? [] : [alias])]);
}

export function fieldsOf({ scope, group = '', description: { en, fr = '' }, alias = '' }: ProductScope): ScopeFields {
  return { scope, group, en, fr, alias };
}

export function fieldsIn(form: URLSearchParams): ScopeFields {
  const text = (name: string) => form.get(name)?.trim() ?? '';
  return { scope: text('scope'), group: text('group'), en: text('en'), fr: text('fr'), alias: text('alias') };
}

/** The fields as an entry that the parser of the API reads; what is empty is left out. */
export function entryOf({ scope, group, en, fr, alias }: ScopeFields): unknown {
  const given = (name: string, value: string) => (value === '' ? {} : { [name]: value });
  return { scope, ...given('group', group), description: { en, ...given('fr', fr) }, ...given('alias', alias) };
}
