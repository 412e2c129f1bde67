import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../../app/root.ts';

const VIEWS = path.join(ROOT, 'views');
const LONGEST_LINE = 140;

describe('the templates of pages', () => {
  let files: Map<string, string>;
  before(async () => {
    const names = (await readdir(VIEWS, { recursive: true })).filter((name) => name.endsWith('.njk'));
    files = new Map(
      await Promise.all(names.map(async (name) => [name, await readFile(path.join(VIEWS, name), 'utf8')] as const)),
    );
    expect(files.size).to.be.greaterThan(40);
  });

  /** Each line of each template that meets a condition, as file:line. */
  function linesThat(meet: (line: string) => boolean): string[] {
    return [...files].flatMap(([name, text]) =>
      text.split('\n').flatMap((line, index) => (meet(line) ? [`${name}:${index + 1}`] : [])),
    );
  }

  it('have no line over 140 characters', () => {
    expect(linesThat((line) => line.length > LONGEST_LINE)).to.eql([]);
  });

  it('are indented by spaces, and no line ends in one', () => {
    expect(linesThat((line) => /\t|\s$/.test(line))).to.eql([]);
  });

  it('let nothing past the escaping', () => {
    expect(linesThat((line) => /\|\s*safe\b|autoescape/.test(line))).to.eql([]);
  });

  it('name no page of an organisation but below `org`, which names the organisation', () => {
    const isWithout = (line: string) => /(?<!app)\/admin\/(?!(?:tenants|scopes|forward-auth)\b)/.test(line);
    expect(linesThat(isWithout)).to.eql([]);
  });

  it('lie in folders that app/admin has too', async () => {
    const entries = await readdir(path.join(ROOT, 'app', 'admin'), { withFileTypes: true });
    const pages = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    const folders = new Set([...files.keys()].map((name) => path.dirname(name)));
    expect([...folders].filter((folder) => !pages.includes(folder))).to.eql([]);
  });
});
