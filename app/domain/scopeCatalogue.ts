import { GROUPS, type DescribedScope, type Wording } from './describedScope.ts';
import { OWN_SCOPES } from './ownScopes.ts';
import { SAMPLE_SCOPES } from './sampleScopes.ts';
import { covers, normaliseScope, ScopeSet } from './scope.ts';

export { ACTIONS, GROUPS, type DescribedScope, type Wording } from './describedScope.ts';

/** A scope as a catalogue lists it. */
export interface CatalogueScope extends DescribedScope {
  /** It opens routes of other backends, so that it is offered although no route of this process asks for it. */
  elsewhere: boolean;
}

/** The group of an operator's scope that names none. */
export const UNGROUPED = { id: 'product', title: { en: 'Product', fr: 'Produit' } } as const;

/** What a catalogue lists beside Latchkey's own scopes. */
export interface ProductPart {
  /** Whether this process serves the sample product, whose routes ask for its scopes whatever the catalogue lists. */
  sampleProduct: boolean;
  /** The scopes that operators named; null lists those of the sample product, where it is served. */
  scopes: readonly DescribedScope[] | null;
}

/** The scopes that may be granted at one moment, and what each name stands for: Latchkey's own and those of the product. */
export class ScopeCatalogue {
  /** In display order. */
  readonly scopes: readonly CatalogueScope[];
  readonly product: ProductPart;
  /** What each alias that is stored under its own name stands for. */
  readonly #meanings: ReadonlyMap<string, string>;
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #known: ReadonlySet<string>;
  readonly #readings = new WeakMap<ScopeSet, ScopeSet>();

  constructor(product: ProductPart) {
    const sample = product.sampleProduct ? SAMPLE_SCOPES : [];
    const listed = product.scopes ?? sample;
    this.product = product;
    this.scopes = inOrder([
      ...OWN_SCOPES.map((one) => ({ ...one, elsewhere: false })),
      ...listed.map((one) => ({ ...one, elsewhere: product.scopes !== null })),
    ]);
    const own = [...OWN_SCOPES, ...sample];
    const meanings = new Map(own.flatMap(meaningsOf));
    // What routes of this process ask for is never given another name, since they ask without the catalogue.
    const fixed = new Set(own.map(({ scope }) => scope));
    for (const one of listed) {
      if (fixed.has(one.scope)) continue;
      for (const [alias, scope] of meaningsOf(one)) {
        if (!fixed.has(alias) && !meanings.has(alias)) meanings.set(alias, scope);
      }
    }
    this.#meanings = meanings;
    this.#aliases = new Map([...meanings].map(([alias, scope]) => [scope, alias]));
    const names = this.scopes.map(({ scope }) => scope);
    const known = names.flatMap((scope) => [scope, scope.replace(/:.*/, ':*'), ...this.namesOf(scope)]);
    this.#known = new Set(known);
  }

  /** Every name that may be granted: the scopes, their aliases that are stored, and all of each of their resources. */
  get names(): ReadonlySet<string> {
    return this.#known;
  }

  /** Whether a normalised scope may be granted. */
  isKnown(scope: string): boolean {
    return this.#known.has(scope);
  }

  /** The scope that this one is an alias of, or the scope itself in its one spelling. */
  meaningOf(scope: string): string {
    const normal = normaliseScope(scope) ?? scope;
    return this.#meanings.get(normal) ?? normal;
  }

  /** Every name under which this scope may be stored. */
  namesOf(scope: string): string[] {
    const meant = this.meaningOf(scope);
    const alias = this.#aliases.get(meant);
    return alias === undefined ? [meant] : [meant, alias];
  }

  /** Whether a granted scope opens what is required, under whatever names both go: `covers` of what they stand for. */
  opens(granted: string, required: string): boolean {
    return covers(this.meaningOf(granted), this.meaningOf(required));
  }

  /** The scopes of one key, which keep their names and open what they stand for. */
  scopeSetOf(scopes: readonly string[]): ScopeSet {
    return ScopeSet.of(scopes, (scope) => this.meaningOf(scope));
  }

  /** The scopes of a key that was looked up, as this catalogue reads their names. */
  read(set: ScopeSet): ScopeSet {
    // Keys are looked up as the built-in catalogue reads them.
    if (this === BUILT_IN) return set;
    let reading = this.#readings.get(set);
    if (!reading) this.#readings.set(set, (reading = this.scopeSetOf(set.scopes)));
    return reading;
  }

  /** The groups that have a scope, in display order, each with its title. */
  get groups(): { id: string; title: Wording }[] {
    const ids = [...new Set(this.scopes.map(({ group }) => group))];
    return ids.map(
      (id) => [...GROUPS, UNGROUPED].find((group) => group.id === id) ?? { id, title: { en: id, fr: id } },
    );
  }
}

/** Operators' groups come where the groups of the sample product do: before what is about Latchkey itself. */
function inOrder(scopes: readonly CatalogueScope[]): CatalogueScope[] {
  const ids = GROUPS.map(({ id }) => id as string);
  const others = [...new Set(scopes.map(({ group }) => group))].filter((id) => !ids.includes(id));
  const order = [...ids];
  order.splice(ids.indexOf('administration'), 0, ...others);
  return order.flatMap((id) => scopes.filter(({ group }) => group === id));
}

/** The alias that is stored under its own name, with what it stands for; the other spelling of a scope is no such name. */
function meaningsOf({ scope, alias }: DescribedScope): [string, string][] {
  return alias === undefined || normaliseScope(alias) !== alias || alias === scope ? [] : [[alias, scope]];
}

/**
 * What a fresh installation offers. Routes of this process are judged by it, since their scopes mean the same whatever
 * operators list; all else asks for the catalogue of the moment, `lookup.catalogue()`.
 */
export const BUILT_IN = new ScopeCatalogue({ sampleProduct: true, scopes: null });

/** Every scope of the built-in catalogue, in display order. */
export const CATALOGUE: readonly CatalogueScope[] = BUILT_IN.scopes;

/** Whether a route of this process may ask for a normalised scope. */
export function isKnownScope(scope: string): boolean {
  return BUILT_IN.isKnown(scope);
}

/** `ScopeCatalogue.meaningOf` for routes of this process. */
export function meaningOf(scope: string): string {
  return BUILT_IN.meaningOf(scope);
}

/** `ScopeCatalogue.namesOf` for routes of this process. */
export function namesOf(scope: string): string[] {
  return BUILT_IN.namesOf(scope);
}

/** `ScopeCatalogue.opens` for routes of this process. */
export function opens(granted: string, required: string): boolean {
  return BUILT_IN.opens(granted, required);
}

/** `ScopeCatalogue.scopeSetOf` for routes of this process. */
export function scopeSetOf(scopes: readonly string[]): ScopeSet {
  return BUILT_IN.scopeSetOf(scopes);
}

/** Whether a scope reaches across tenants, so that only an operator may grant it; no catalogue gives such a name away. */
export function isPlatformScope(scope: string): boolean {
  return opens('platform:*', scope);
}
