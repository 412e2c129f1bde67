import { z } from 'zod';
import type { DescribedScope } from './describedScope.ts';
import { memoizeByText } from './memoizeByText.ts';
import type { Problem } from './problem.ts';
import { refuses } from './problem.ts';
import { SAMPLE_SCOPES } from './sampleScopes.ts';
import { normaliseScope, verbFirst } from './scope.ts';
import { BUILT_IN, ScopeCatalogue, UNGROUPED } from './scopeCatalogue.ts';
import { FreeText } from './text.ts';

/** The most scopes of a product. */
export const MOST_PRODUCT_SCOPES = 500;
export const LONGEST_SCOPE = 64;
export const LONGEST_GROUP = 60;
export const LONGEST_DESCRIPTION = 200;

/** Resources that are Latchkey's alone, so that a later release can have more scopes of them. */
const RESERVED = new Set(['admin', 'api-keys', 'keys', 'platform', 'self']);

const Line = (max: number) =>
  FreeText(max).check(refuses((text) => (/[\n\t]/.test(text) ? { key: 'control_character' } : undefined)));

const ScopeName = z
  .string()
  .max(LONGEST_SCOPE)
  .overwrite((text) => normaliseScope(text) ?? text)
  .check(refuses((text) => (isProductName(text) ? undefined : { key: 'not_a_product_scope' })))
  .meta({ minLength: 1 });

const ProductScopeInput = z
  .strictObject({
    scope: ScopeName.describe('A resource and an action, such as `invoices:read`, or `invoices:*` for all actions.'),
    group: Line(LONGEST_GROUP).optional().describe('The heading under which pages show the scope.'),
    description: z
      .strictObject({ en: Line(LONGEST_DESCRIPTION), fr: Line(LONGEST_DESCRIPTION).optional() })
      .describe(
        'What a key with the scope may do, in one sentence; readers of French see the English one where there is none.',
      ),
    alias: ScopeName.optional().describe(
      'Another name of the same scope, which keys may be granted and routes may ask for too.',
    ),
  })
  .overwrite(({ alias, ...entry }) => (alias === undefined || alias === entry.scope ? entry : { ...entry, alias }));

/** A scope of the product as operators write it. */
export type ProductScope = z.output<typeof ProductScopeInput>;

/**
 * The scopes of the product as input. While the sample product is served, the names that its routes ask for keep their
 * meaning; everything else that is wrong is wrong in any installation.
 */
export function productScopesInput(sampleProduct: boolean) {
  return z
    .strictObject({
      scopes: z
        .array(ProductScopeInput)
        .max(MOST_PRODUCT_SCOPES)
        .check(({ value, issues }) => {
          for (const { path, problem } of clashesIn(value, sampleProduct)) {
            issues.push({ code: 'custom', input: value, path, message: problem.key, params: problem.values });
          }
        }),
    })
    .meta({ examples: [{ scopes: [EXAMPLE] }] });
}

const EXAMPLE: ProductScope = {
  scope: 'invoices:read',
  group: 'Invoices',
  description: { en: 'See invoices and their payments.', fr: 'Consulter les factures et leurs paiements.' },
};

interface Clash {
  path: [number, 'scope' | 'alias'];
  problem: Problem;
}

const OWN = new ScopeCatalogue({ sampleProduct: false, scopes: [] });

/** Whether a text may name a scope of a product at all: `resource:action` or `resource:*`, in one spelling. */
function isProductName(text: string): boolean {
  return normaliseScope(text) === text && text.includes(':') && !text.startsWith('*');
}

/** Every name that Latchkey, the sample product or another entry has already, by the place of the later one. */
function clashesIn(scopes: readonly ProductScope[], sampleProduct: boolean): Clash[] {
  const places = new Map<string, string>();
  const resources = new Set(scopes.map(({ scope }) => resourceOf(scope)));
  const clashes: Clash[] = [];
  for (const [index, entry] of scopes.entries()) {
    const named = [['scope', entry.scope] as const, ...(isStored(entry) ? [['alias', entry.alias] as const] : [])];
    for (const [field, name] of named) {
      const problem =
        ownNameProblem(name) ??
        (sampleProduct ? sampleNameProblem(entry, field) : undefined) ??
        (field === 'alias' ? otherResourceProblem(entry, resources, sampleProduct ? BUILT_IN : OWN) : undefined) ??
        takenProblem(name, places);
      if (problem) clashes.push({ path: [index, field], problem });
      else places.set(name, `scopes.${index}.${field}`);
    }
  }
  return clashes;
}

/** Whether the alias is a name of its own, and not the other spelling of the scope. */
function isStored(entry: ProductScope): entry is ProductScope & { alias: string } {
  return entry.alias !== undefined && entry.alias !== entry.scope;
}

function ownNameProblem(name: string): Problem | undefined {
  return OWN.isKnown(name) || RESERVED.has(resourceOf(name)) ? { key: 'scope_of_latchkey' } : undefined;
}

/** The routes of the sample product ask for these names, whatever the catalogue says. */
function sampleNameProblem({ scope, alias = scope }: ProductScope, field: 'scope' | 'alias'): Problem | undefined {
  const isOfSample = SAMPLE_SCOPES.some((one) => one.scope === scope);
  const refused =
    field === 'scope'
      ? BUILT_IN.meaningOf(scope) !== scope
      : isOfSample
        ? !BUILT_IN.namesOf(scope).includes(alias)
        : BUILT_IN.isKnown(alias);
  return refused ? { key: 'scope_of_sample_product' } : undefined;
}

/** An alias of a resource that has scopes of its own would be covered by those, and mean something else. */
function otherResourceProblem(
  { scope, alias = scope }: ProductScope,
  resources: ReadonlySet<string>,
  fixed: ScopeCatalogue,
): Problem | undefined {
  const resource = resourceOf(alias);
  if (resource === resourceOf(scope) || BUILT_IN.namesOf(scope).includes(alias)) return undefined;
  return resources.has(resource) || fixed.isKnown(`${resource}:*`) ? { key: 'alias_of_other_resource' } : undefined;
}

function takenProblem(name: string, places: ReadonlyMap<string, string>): Problem | undefined {
  const place = places.get(name);
  return place === undefined ? undefined : { key: 'scope_given_twice', values: { place } };
}

const resourceOf = (scope: string) => scope.replace(/:.*/, '');

/** The product's part of a catalogue as it is stored. */
interface StoredPart {
  sampleProduct: boolean;
  scopes: ProductScope[] | null;
}

/** The stored form of the product's part. */
export function storedPart(sampleProduct: boolean, scopes: readonly ProductScope[] | null): string {
  return JSON.stringify({ sampleProduct, scopes });
}

/** The product's part as it was stored; null is that of a fresh installation. */
export function readPart(stored: string | null): StoredPart {
  return stored === null ? { sampleProduct: true, scopes: null } : (JSON.parse(stored) as StoredPart);
}

/** The catalogue of the moment by what is stored; the same object for the same text. */
export function catalogueOf(stored: string | null): ScopeCatalogue {
  return stored === null ? BUILT_IN : parsedCatalogue(stored);
}

const parsedCatalogue = memoizeByText((stored) => {
  const part = readPart(stored);
  if (part.sampleProduct && part.scopes === null) return BUILT_IN;
  // A later release may have made a name its own, which is no reason to refuse the others.
  const scopes = part.scopes?.filter(({ scope }) => ownNameProblem(scope) === undefined).map(described);
  return new ScopeCatalogue({ sampleProduct: part.sampleProduct, scopes: scopes ?? null });
}, 20);

/** The scopes of the product as the API shows and takes them: those that operators named, or else the sample product's. */
export function productScopesOf(stored: string | null): ProductScope[] {
  const { sampleProduct, scopes } = readPart(stored);
  if (scopes !== null) return scopes;
  return sampleProduct
    ? SAMPLE_SCOPES.map(({ scope, alias, group, description }) => ({
        scope,
        group,
        description,
        ...(alias !== undefined && normaliseScope(alias) === alias && { alias }),
      }))
    : [];
}

function described({
  scope,
  alias = verbFirst(scope),
  group = UNGROUPED.id,
  description: { en, fr = en },
}: ProductScope): DescribedScope {
  return { scope, group, description: { en, fr }, ...(alias !== undefined && { alias }) };
}

/** The names that can be granted by the first catalogue and not by the second. */
export function namesLost(before: ScopeCatalogue, after: ScopeCatalogue): string[] {
  return [...before.names].filter((name) => !after.isKnown(name));
}
