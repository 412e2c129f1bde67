import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { IntlMessageFormat } from 'intl-messageformat';
import { APPS } from '../../app/domain/apps.ts';
import { LOCALES } from '../../app/domain/locale.ts';
import { PLANS } from '../../app/domain/plan.ts';
import { CATALOGUE, GROUPS } from '../../app/domain/scopeCatalogue.ts';
import { catalogueOf, textsIn } from '../../app/locales/texts.ts';
import { ROOT } from '../../app/root.ts';

const en = catalogueOf('en');
const fr = catalogueOf('fr');

/** Every file of the pages, by its path. */
function sources(): Map<string, string> {
  return new Map(
    ['views', 'app'].flatMap((folder) =>
      readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.(njk|ts)$/.test(entry.name))
        .map((entry) => path.join(entry.parentPath, entry.name))
        .map((file): [string, string] => [path.relative(ROOT, file), readFileSync(file, 'utf8')]),
    ),
  );
}

/** The keys a source asks for, and the beginnings of those it puts together. */
function asked(source: string): { keys: string[]; beginnings: string[] } {
  const keys = [...source.matchAll(/\bt\(\s*'([\w.]+)'\s*[,)]/g)].map(([, key = '']) => key);
  const beginnings = [...source.matchAll(/\bt\(\s*'([\w.]+)'\s*[+~]/g)].map(([, key = '']) => key);
  return { keys, beginnings };
}

/** A part of a parsed text; the first kind is plain text, the others name what is filled in. */
interface Part {
  type: number;
  value?: string;
  options?: Record<string, { value: Part[] }>;
}

function names(parts: readonly Part[]): Set<string> {
  return new Set(
    parts.flatMap(({ type, value, options = {} }) => {
      const inner = Object.values(options).flatMap((option) => [...names(option.value)]);
      return type === 0 || value === undefined ? inner : [value, ...inner];
    }),
  );
}

/** The names that a text wants filled in. */
function namesOf(text: string, locale: string): string[] {
  const parts: unknown = new IntlMessageFormat(text, locale, undefined, { ignoreTag: true }).getAst();
  return [...names(parts as Part[])].sort();
}

describe('the texts', () => {
  it('exist in every language', () => {
    for (const locale of LOCALES) expect([...catalogueOf(locale).keys()].sort()).to.deep.equal([...en.keys()].sort());
  });

  it('want the same names filled in, whatever the language', () => {
    for (const [key, text] of en) expect(namesOf(fr.get(key) ?? '', 'fr'), key).to.deep.equal(namesOf(text, 'en'));
  });

  it('keep French marks on the line of their words', () => {
    const described = [...PLANS, ...APPS, ...CATALOGUE].map(({ description }) => description.fr);
    const texts = [...fr.values(), ...described, ...GROUPS.map(({ title }) => title.fr)];
    expect(texts.filter((text) => / [:;!?»]|« /.test(text))).to.deep.equal([]);
  });

  it('are there for every key that views and code ask for', () => {
    const missing: string[] = [];
    for (const [file, source] of sources()) {
      const { keys, beginnings } = asked(source);
      missing.push(...keys.filter((key) => !en.has(key)).map((key) => `${file}: ${key}`));
      const all = [...en.keys()];
      missing.push(
        ...beginnings.filter((one) => !all.some((key) => key.startsWith(one))).map((key) => `${file}: ${key}*`),
      );
    }
    expect(missing).to.deep.equal([]);
  });

  it('are said in the plural where it is one', () => {
    expect(textsIn('en').t('ui.problems_title', { count: 1 })).to.equal('One thing to correct');
    expect(textsIn('fr').t('ui.problems_title', { count: 2 })).to.equal('2 points à corriger');
  });

  it('tell a problem in the words of the API, and on pages by the names that pages use', () => {
    const { problemText, pageProblemText } = textsIn('en');
    expect(problemText({ key: 'no_such_tenant' })).to.equal('There is no such tenant.');
    expect(pageProblemText({ key: 'no_such_tenant' })).to.equal('There is no such organisation.');
    expect(pageProblemText({ key: 'no_such_key' })).to.equal(problemText({ key: 'no_such_key' }));
  });

  it('name what a problem is about, as text and nothing else', () => {
    const { problemText, pageProblemText } = textsIn('fr');
    const scope = '{n} <b>';
    expect(problemText({ key: 'missing_scope', values: { scope } })).to.equal(`Accès requis\u00a0: ${scope}`);
    expect(problemText({ key: 'too_long', values: { max: 100 } })).to.equal('Ne doit pas dépasser 100 caractères');
    expect(pageProblemText({ key: 'plan_allows_keys', values: { plan: 'Starter', keys: 10 } })).to.match(
      /^L’offre Starter permet 10 clés d’API\s: révoquez-en une/,
    );
  });

  it('have words of the pages for problems of the catalogue only', () => {
    const names = [...en.keys()].filter((key) => key.startsWith('pageProblems.')).map((key) => key.split('.')[1]);
    expect(names.filter((name) => !en.has(`problems.${name ?? ''}`))).to.deep.equal([]);
  });

  it('tell moments for machines, in full, and from now', () => {
    const now = Date.UTC(2030, 0, 31, 12);
    const { iso, full, relative } = textsIn('fr').moment(now - 3 * 86_400_000, now);
    expect(iso).to.equal('2030-01-28T12:00:00.000Z');
    expect(full).to.match(/^28 janv\. 2030\D+12:00:00 UTC$/);
    expect(textsIn('fr').moment(now - 3 * 86_400_000 + 11_045_678, now).full).to.equal(
      full.replace('12:00:00', '15:04:05'),
    );
    expect(relative).to.equal('il y a 3 jours');
    expect(textsIn('en').moment(now + 7_200_000, now).relative).to.equal('in 2 hours');
    expect(textsIn('en').moment(now - 10, now).relative).to.equal('now');
    // What was made a minute ago for 90 or for 7 days.
    expect(textsIn('en').moment(now + 90 * 86_400_000 - 60_000, now).relative).to.equal('in 3 months');
    expect(textsIn('en').moment(now + 7 * 86_400_000 - 60_000, now).relative).to.equal('in 7 days');
  });
});
