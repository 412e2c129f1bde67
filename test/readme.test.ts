import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { PROBLEMS } from '../app/errors.ts';
import { ROOT } from '../app/root.ts';
import { COMMANDS } from '../scripts/admin/commands.ts';
import { Child, endChildren, freePort } from './support/child.ts';
import { Client } from './support/http.ts';

interface Package {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

const readme = read('README.md');
const { scripts, dependencies, devDependencies } = JSON.parse(read('package.json')) as Package;

/** What newcomers read after it. */
const GUIDES = ['docs/api.md', 'docs/checking-keys.md', 'docs/operating.md', 'docs/pages.md'];
const all = ['README.md', ...GUIDES].map(read).join('\n');

/** What the operator's tool answers to. */
const tools = ['help', ...COMMANDS.map(({ name }) => name)];

/** The text below a line, up to a line that begins the next part. */
function below(line: string): string {
  const [, text = ''] = readme.split(`\n${line}\n`);
  return text.split(/\n(?:#|To develop:)/)[0] ?? '';
}

/** The names in front of each item's colon. */
function listed(text: string): string[] {
  const items = text.split(/\n- /).slice(1);
  return items.flatMap((item) => [...(item.split(': ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
}

describe('README.md', () => {
  it('begins with the command that serves and the one that tests', () => {
    const blocks = [...readme.matchAll(/^```sh\n(.*?)\n```$/gms)].map(([, block]) => block);
    expect(blocks.slice(0, 2)).to.deep.equal(['npm ci && npm start', 'npm test']);
  });

  it('gives a reason for each dependency and for nothing else', () => {
    expect(listed(below('At run time:'))).to.have.members(Object.keys(dependencies));
    expect(listed(below('To develop:'))).to.have.members(Object.keys(devDependencies));
    const reasons = [below('At run time:'), below('To develop:')].flatMap((text) => text.split(/\n- /).slice(1));
    for (const reason of reasons) expect(reason).to.match(/^`[^:]*: \S/);
  });

  it('names only commands that there are, as its guides do', () => {
    const named = [...all.matchAll(/npm (?:run (?:-s )?)?([a-z]+)/g)].map(([, name]) => name ?? '');
    const asked = [...all.matchAll(/npm run -s admin -- ([a-z]+(?: [a-z][a-z-]*)?)/g)].map(([, name]) => name ?? '');
    expect(asked).to.include('demo');
    expect(asked.filter((name) => !tools.includes(name))).to.deep.equal([]);
    const own = ['ci', 'prune', 'on', 'start', 'test'];
    expect(named.filter((name) => !own.includes(name) && !(name in scripts))).to.deep.equal([]);
    expect(scripts).to.include.keys('start', 'test', 'build', 'admin');
  });

  it('tells each picture in words, as its guides do', () => {
    const pictures = [...all.matchAll(/!\[([^\]]*)\]\(([^)]*)\)/g)];
    const named = pictures.map(([, , file = '']) => path.basename(file));
    expect(named).to.have.members(['keys', 'key', 'new-key', 'audit'].map((name) => `${name}.png`));
    for (const [, words] of pictures) expect(words).to.have.length.above(40);
  });

  it('names a source for each claim about others, and no source that nothing leans on', () => {
    const leaned = [...readme.matchAll(/\]\[([a-z-]+)\]/g)].map(([, label]) => label);
    const sources = [...readme.matchAll(/^\[([a-z-]+)\]: https:\/\/\S+$/gm)].map(([, label]) => label);
    expect(sources).to.have.length.above(20);
    expect([...new Set(leaned)]).to.have.members(sources);
  });

  it('leads to a guide that tells a caller codes that there are, beside their status', () => {
    const rows = [...read('docs/api.md').matchAll(/^\| (\d{3}) +\| ([^|]+)\|/gm)];
    const told = rows.flatMap(([, status, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, code = '']) => ({ code, status: Number(status) })),
    );
    expect(told.map(({ status }) => status)).to.include.members([400, 401, 403, 429, 503]);
    const known: Record<string, readonly [number, string]> = PROBLEMS;
    expect(told.filter(({ code, status }) => known[code]?.[0] !== status)).to.deep.equal([]);
  });

  it('leads to a guide that names the steps of the proof as scripts/smoke.sh runs them, and what step 7 asks', () => {
    const smoke = read('scripts/smoke.sh');
    const run = [...smoke.matchAll(/^ {2}step (\d) '(.*)'$/gm)].map(([, number, title]) => `${number}. ${title}`);
    const proof = read('docs/operating.md').split('- **Proof.**')[1] ?? '';
    const steps = [...proof.matchAll(/^ {2}(\d\. .*): `(.*)`\.$/gm)].map(([, step, request]) => ({ step, request }));
    expect(steps.map(({ step }) => step)).to.deep.equal(run);
    expect(steps[6]?.request).to.equal('GET /api/api-keys?includeRevoked=true');
  });
});

describe('the steps of README.md', () => {
  afterEach(endChildren);

  it('lead from nothing to a key that is used, rotated and revoked, and to a protected route in another process', async function () {
    this.timeout(60_000);
    const folder = await mkdtemp(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'latchkey-readme-'));
    const [latchkeyPort, backendPort] = [String(await freePort()), String(await freePort())];
    // As written, but for the ports and the folder, which others may be using.
    const blocksOf = (heading: string) => {
      const section = (readme.split(`\n### ${heading}\n`)[1] ?? '').split('\n### ')[0] ?? '';
      return [...section.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, block = '']) =>
        block
          .replaceAll('5000', latchkeyPort)
          .replaceAll('4000', backendPort)
          .replaceAll('var/', `${folder}/`)
          .replace('../docs/', `${ROOT}/docs/`),
      );
    };
    const [serve = '', ...asAnn] = blocksOf('From a terminal');
    const [backend = '', call = ''] = blocksOf('For a backend of your own');
    expect([serve, backend, call].join('').split('\n').filter(Boolean)).to.have.length.within(5, 10);
    // The runner of the tests has built it, and another build would only take its time.
    const built = { npm_config_ignore_scripts: 'true' };
    const latchkey = new Child('sh', ['-c', serve], { ...built, DATA_DIR: folder, PORT: latchkeyPort });
    await latchkey.says('"msg":"ready"');
    const ann = new Child('sh', ['-c', asAnn.join('')], { DATA_DIR: folder });
    await ann.says('"code":"key_revoked"');
    expect(ann.stdout).to.match(/^\{"data":\[\].*"message":"API key has been revoked"/s);
    await writeFile(path.join(folder, 'server.ts'), backend);
    const caller = new Child('sh', ['-c', call], { DATA_DIR: folder });
    await caller.says('Hello, ');
    expect(caller.stdout).to.match(/^Hello, [0-9a-f-]{36}\n$/);
    const client = new Client(`http://127.0.0.1:${backendPort}`);
    expect((await client.get('/')).status).to.equal(401);
    client.close();
  });
});

const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', ...GUIDES];
/** Documents whose links lead to each other. */
const LINKED = [...DOCUMENTS, 'docs/moving.md', 'docs/clients/README.md', 'docs/proxies/README.md'];
/** What the repository itself has at its top. */
const OURS = readdirSync(ROOT).filter((name) => !['node_modules', 'dist', 'var', '.git'].includes(name));
/** A file with an ending that we use, or a folder with its slash. */
const PATH = /(?<![\w./<-])\.?\w[\w.-]*(?:\/[\w.-]+)*(?:\/|\.(?:ts|js|json|njk|css|md|sh))(?![\w/])/g;

describe('the documents', () => {
  const files = OURS.flatMap(filesAt);

  for (const document of DOCUMENTS) {
    it(`name only files and folders that there are: ${document}`, () => {
      const named = pathsIn(read(document));
      expect(named.filter((name) => !isThere(name))).to.deep.equal([]);
    });
  }

  it('link only to files, and to headings of documents, that there are', () => {
    for (const document of LINKED) {
      const links = [...read(document).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link);
      expect(
        links.filter((link) => !leadsSomewhere(document, link)),
        document,
      ).to.deep.equal([]);
    }
    expect(leadsSomewhere('docs/api.md', '../README.md#start')).to.equal(true);
    expect(leadsSomewhere('docs/api.md', '../README.md#nowhere')).to.equal(false);
  });

  it('find a path that is not there, in backticks and in a tree, and leave addresses and placeholders alone', () => {
    const text = 'See `app/nowhere.ts`, `nowhere.njk` and `app/locales/<language>/ui.json` at `/nowhere/`, `nowhere/`.';
    const tree = '```\napp/gone/   what is in it, gone.sh\n/static/   an address\n```\n';
    const code = "```ts\nimport './nowhere.ts';\n```\n";
    const named = pathsIn(`${text}\n\n${tree}\n${code}`);
    expect(named.filter((name) => !isThere(name))).to.have.members([
      ...['app/nowhere.ts', 'nowhere.njk', 'nowhere/', 'app/gone/', 'gone.sh'],
    ]);
  });

  it('name every room of the code', () => {
    const rooms = readdirSync(path.join(ROOT, 'app'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const document of ['README.md', 'docs/architecture.md']) {
      const named = pathsIn(read(document));
      expect(named, document).to.include.members(rooms.map(({ name }) => `app/${name}/`));
    }
  });

  /** The paths in backticks, those with a placeholder up to it, and the paths of trees; code in a language is left out. */
  function pathsIn(markdown: string): string[] {
    const fences = [...markdown.matchAll(/^ *```(\w*)\n(.*?)^ *```$/gms)];
    const trees = fences.filter(([, language]) => language === '').flatMap(([, , text = '']) => text.match(PATH) ?? []);
    const prose = fences.reduce((text, [fence]) => text.replace(fence, () => ''), markdown);
    const quoted = [...prose.matchAll(/`([^`\n]+)`/g)].flatMap(([, text = '']) => {
      const [begins = '', ...placeholder] = text.split('<');
      const inOurs = OURS.some((name) => begins === name || begins.startsWith(`${name}/`));
      if (placeholder.length > 0) return inOurs ? [begins] : [];
      return inOurs && !text.includes(' ')
        ? [text]
        : [...text.matchAll(PATH)].filter(isWhole(text)).map(([one]) => one);
    });
    // Made by the start.
    return [...new Set([...trees, ...quoted])].filter((name) => !name.startsWith('var/'));
  }

  function leadsSomewhere(document: string, link: string): boolean {
    const [file = '', heading] = link.split('#');
    const target = file === '' ? document : path.join(path.dirname(document), file);
    if (!existsSync(path.join(ROOT, target))) return false;
    return heading === undefined || headingsOf(read(target)).includes(heading);
  }

  /** As links name them. */
  function headingsOf(markdown: string): string[] {
    return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} -]/gu, '')
        .replaceAll(' ', '-'),
    );
  }

  function isWhole(text: string): (match: RegExpExecArray) => boolean {
    return ([found]) => found === text;
  }

  /** From the root, or as the end of a path anywhere in the repository. */
  function isThere(name: string): boolean {
    return existsSync(path.join(ROOT, name)) || files.some((file) => file.endsWith(`/${name}`));
  }
});

/** A file, or a folder with its slash and all that is in it. */
function filesAt(name: string): string[] {
  const entries = readdirSync(path.dirname(path.join(ROOT, name)), { withFileTypes: true });
  if (!entries.find((entry) => entry.name === path.basename(name))?.isDirectory()) return [name];
  return [`${name}/`, ...readdirSync(path.join(ROOT, name)).flatMap((inner) => filesAt(`${name}/${inner}`))];
}

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}
