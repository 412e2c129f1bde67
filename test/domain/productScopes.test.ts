import { expect } from 'chai';
import {
  catalogueOf,
  namesLost,
  productScopesInput,
  storedPart,
  type ProductScope,
} from '../../app/domain/productScopes.ts';
import { BUILT_IN, CATALOGUE } from '../../app/domain/scopeCatalogue.ts';
import { fieldErrors } from '../../app/http/fieldErrors.ts';
import vectors from '../vectors/productScopes.json' with { type: 'json' };

const problemsOf = (input: unknown, sampleProduct = true) => {
  const { error } = productScopesInput(sampleProduct).safeParse(input, { reportInput: true });
  return error ? fieldErrors(error).map(({ path, problem }) => `${path} ${problem.key}`) : [];
};
const parsed = (scopes: unknown, sampleProduct = true) => productScopesInput(sampleProduct).parse({ scopes }).scopes;

describe('the scopes of a product as input', () => {
  for (const { scopes, because, sampleProduct = true } of vectors.accepted as {
    scopes: unknown[];
    because: string;
    sampleProduct?: boolean;
  }[]) {
    it(`are taken: ${because}`, () => {
      expect(problemsOf({ scopes }, sampleProduct)).to.deep.equal([]);
    });
  }

  for (const { scopes, at, key } of vectors.refused as { scopes: unknown[]; at: string; key: string }[]) {
    it(`are refused at ${at} with ${key}: ${JSON.stringify(scopes).slice(0, 120)}`, () => {
      expect(problemsOf({ scopes })).to.deep.equal([`${at} ${key}`]);
    });
  }

  it('are at most 500, with names and texts of a bounded length', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ scope: `r${n}:read`, description: { en: 'See.' } }));
    expect(problemsOf({ scopes: many(500) })).to.deep.equal([]);
    expect(problemsOf({ scopes: many(501) })).to.deep.equal(['scopes list_too_long']);
    const long = {
      scope: `${'x'.repeat(60)}:read`,
      group: 'x'.repeat(61),
      description: { en: 'x'.repeat(201), fr: 'x'.repeat(201) },
      alias: `${'y'.repeat(60)}:read`,
    };
    expect(problemsOf({ scopes: [long] })).to.deep.equal(
      ['scope', 'group', 'description.en', 'description.fr', 'alias'].map((field) => `scopes.0.${field} too_long`),
    );
  });
});

describe('a catalogue with the scopes of a product', () => {
  const scopes = parsed([
    { scope: 'read:invoices', group: 'Invoices', description: { en: 'See invoices.' }, alias: 'bills:read' },
    { scope: 'invoices:write', description: { en: 'Change invoices.', fr: 'Modifier les factures.' } },
    { scope: 'projects:archive', group: 'records', description: { en: 'Archive projects.' } },
  ]);
  const stored = (list: ProductScope[] | null, sampleProduct = true) => catalogueOf(storedPart(sampleProduct, list));
  const catalogue = stored(scopes);

  it('replaces the scopes of the sample product and keeps Latchkey’s own', () => {
    const known = ['invoices:read', 'invoices:*', 'bills:read', 'projects:archive', 'read', 'users:read', 'platform:*'];
    for (const scope of known) expect(catalogue.isKnown(scope), scope).to.equal(true);
    for (const scope of ['orders:read', 'support:write', 'projects:read', 'bills:*', 'bills:write'])
      expect(catalogue.isKnown(scope), scope).to.equal(false);
  });

  it('reads an alias as its scope, in what is held and in what is asked for', () => {
    const holder = catalogue.read(BUILT_IN.scopeSetOf(['bills:read']));
    expect(
      ['invoices:read', 'read:invoices', 'bills:read', 'invoices:write'].map((one) => holder.covers(one)),
    ).to.deep.equal([true, true, true, false]);
    expect(catalogue.scopeSetOf(['invoices:write']).covers('bills:read')).to.equal(true);
    expect(catalogue.namesOf('read:bills')).to.deep.equal(['invoices:read', 'bills:read']);
  });

  it('keeps what the routes of the sample product ask for under its names, while that is served', () => {
    expect(catalogue.opens('tickets:write', 'support:write')).to.equal(true);
    expect(stored(scopes, false).opens('tickets:write', 'support:write')).to.equal(false);
  });

  it('has the groups of the product before what is about Latchkey, described in English where there is no French', () => {
    const groups = catalogue.groups.map(({ id, title }) => `${id} ${title.fr}`);
    expect(groups.slice(0, 5)).to.deep.equal([
      'general Général',
      'records Données métier',
      'Invoices Invoices',
      'product Produit',
      'administration Administration',
    ]);
    const described = (scope: string) => catalogue.scopes.find((one) => one.scope === scope)?.description;
    expect(described('invoices:read')).to.deep.equal({ en: 'See invoices.', fr: 'See invoices.' });
    expect(described('invoices:write')?.fr).to.equal('Modifier les factures.');
  });

  it('is the built-in one until operators name scopes, and has nothing of the sample product without it', () => {
    expect(catalogueOf(null)).to.equal(BUILT_IN);
    expect(stored(null)).to.equal(BUILT_IN);
    const bare = stored(null, false);
    expect(bare.isKnown('projects:read')).to.equal(false);
    expect(CATALOGUE.filter(({ scope }) => bare.isKnown(scope)).map(({ group }) => group)).to.not.include('records');
  });

  it('leaves out a stored scope whose name a later release made Latchkey’s own', () => {
    const late = stored([{ scope: 'keys:verify', description: { en: 'Mine.' }, alias: 'mine:verify' }]);
    expect(late.scopes.filter(({ scope }) => scope === 'keys:verify').map(({ group }) => group)).to.deep.equal([
      'keys',
    ]);
    expect(late.isKnown('mine:verify')).to.equal(false);
  });

  it('loses the names that another one has no more, aliases and all of a resource among them', () => {
    expect(namesLost(catalogue, stored(scopes.slice(0, 1))).sort()).to.deep.equal(
      ['invoices:write', 'projects:archive', 'projects:*'].sort(),
    );
    expect(namesLost(catalogue, stored([])).sort()).to.include.members(['bills:read', 'invoices:*', 'invoices:read']);
  });
});
