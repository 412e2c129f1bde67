import { expect } from 'chai';
import fc from '../support/properties.ts';
import { freeSlug, isSlug, Slug, slugOf, slugStem } from '../../app/domain/slug.ts';

const UUID = '01890a5d-ac96-774b-bcce-b302099a8057';

describe('the slug that a name suggests', () => {
  const examples: [name: string, slug: string][] = [
    ['Acme', 'acme'],
    ['  Acme  Corp.  ', 'acme-corp'],
    ['Müller & Söhne', 'muller-sohne'],
    ['Café de l’Étoile', 'cafe-de-letoile'],
    ['Straße', 'strasse'],
    ['Smørrebrød Łódź Þór', 'smorrebrod-lodz-thor'],
    ['Ａcme ﬁne', 'acme-fine'],
    ['東京', 'tenant'],
    ['東京 2', '2'],
    ['---', 'tenant'],
    ['🔑 Keys', 'keys'],
    ['İstanbul', 'istanbul'],
    ['x'.repeat(80), 'x'.repeat(63)],
    [`${'x'.repeat(62)} y`, 'x'.repeat(62)],
    [UUID, `tenant-${UUID}`],
    [UUID.toUpperCase(), `tenant-${UUID}`],
  ];
  for (const [name, slug] of examples) {
    it(`${name} → ${slug}`, () => expect(slugOf(name)).to.equal(slug));
  }

  it('is a slug whatever the name', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => isSlug(slugOf(name))));
  });
});

describe('a free slug', () => {
  it('is the wanted one when nobody has it', () => {
    expect(freeSlug('acme', new Set(['acme-2']))).to.equal('acme');
  });

  it('gets the first number that is free', () => {
    expect(freeSlug('acme', new Set(['acme']))).to.equal('acme-2');
    expect(freeSlug('acme', new Set(['acme', 'acme-2', 'acme-4']))).to.equal('acme-3');
  });

  it('is a slug that begins with the stem, however long the wanted one and the number', () => {
    const wanted = fc.string({ minLength: 1, maxLength: 100 }).map(slugOf);
    fc.assert(
      fc.property(wanted, fc.integer({ min: 1, max: 300 }), (slug, count) => {
        const taken = new Set<string>();
        for (let made = 0; made < count; made++) {
          const free = freeSlug(slug, taken);
          if (made > 0 && !free.startsWith(`${slugStem(slug)}-`)) return false;
          if (!isSlug(free) || taken.has(free)) return false;
          taken.add(free);
        }
        return true;
      }),
      { numRuns: 20 },
    );
  });
});

describe('a slug as input', () => {
  for (const slug of ['a', '7', 'acme', 'acme-2', 'a--b', 'x'.repeat(63)]) {
    it(`${slug} is one`, () => expect(Slug.parse(slug)).to.equal(slug));
  }

  for (const text of ['', '-a', 'a-', 'Acme', 'a b', 'a_b', 'a.b', 'é', 'a\n', 'x'.repeat(64), UUID]) {
    it(`${JSON.stringify(text)} is none`, () => expect(Slug.safeParse(text).success).to.equal(false));
  }
});
