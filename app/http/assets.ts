import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { ROOT } from '../root.ts';

export type Encoding = 'br' | 'gzip';

/** Content that is fetched again and again, and does not change while the process runs. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  /** Changes with the content; modules that import each other share one. */
  readonly hash: string;
  /** The compressed content, made at the first request; undefined if compression saves too little. */
  compressed(encoding: Encoding): Promise<Buffer> | undefined;
}

/** The files of `public/`, and those of packages, by the names they are served under. */
export class Assets {
  readonly #byName: ReadonlyMap<string, Asset>;

  constructor(assets: ReadonlyMap<string, Asset>) {
    this.#byName = assets;
  }

  find(name: string): Asset | undefined {
    return this.#byName.get(name);
  }

  /** The address of a file with the hash of its content; throws on an unknown name, so that no page has a dead link. */
  address(name: string): string {
    const asset = this.find(name);
    if (!asset) throw new Error(`There is no asset named ${name}`);
    return `${ASSET_PREFIX}${asset.hash}/${name}`;
  }

  /** The modules that `scripts/app.js` imports, for browsers to fetch at the same time. */
  modulesOfApp(): string[] {
    const imports =
      this.find(`${SCRIPTS}app.js`)
        ?.body.toString()
        .matchAll(/^import '\.\/(.+)';$/gm) ?? [];
    return [...imports].map(([, file]) => `${SCRIPTS}${file}`);
  }
}

/** The prefix of all assets' addresses. */
export const ASSET_PREFIX = '/static/';

/** Files of packages that pages need, by the names they are served under. */
const OF_PACKAGES: Readonly<Record<string, string>> = {
  'htmx.min.js': 'htmx.org/dist/htmx.min.js',
  'swagger-ui.css': 'swagger-ui-dist/swagger-ui.css',
  'swagger-ui-bundle.js': 'swagger-ui-dist/swagger-ui-bundle.js',
};

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/** All assets of this installation, read once. */
export function assets(): Assets {
  return (known ??= new Assets(readAssets()));
}

let known: Assets | undefined;

/** ES modules that import each other by relative addresses: one hash over all of them, so that those addresses hold. */
const SCRIPTS = 'scripts/';

/** The styles of the pages in the order of their rules; served as one file. */
const STYLES = [
  'tokens',
  'ground',
  'shell',
  'controls',
  'forms',
  'lists',
  'charts',
  'dialogs',
  'palette',
  'keys',
  'usage',
  'pages',
];

function readAssets(): Map<string, Asset> {
  const bodies = new Map([
    ...filesOfPublic().map(([name, file]) => [name, withoutComments(name, readFileSync(file))] as const),
    ...filesOfPackages().map(([name, file]) => [name, readFileSync(file)] as const),
  ]);
  const scripts = [...bodies].filter(([name]) => name.startsWith(SCRIPTS));
  const hashOfScripts = hashOf(Buffer.concat(scripts.map(([, body]) => body)));
  bodies.set('app.css', joinStyles(bodies));
  return new Map(
    [...bodies].map(([name, body]) => [
      name,
      assetOf(name, body, name.startsWith(SCRIPTS) ? hashOfScripts : hashOf(body)),
    ]),
  );
}

function joinStyles(bodies: ReadonlyMap<string, Buffer<ArrayBuffer>>): Buffer<ArrayBuffer> {
  const files = STYLES.map((name) => `styles/${name}.css`);
  const forgotten = [...bodies.keys()].find((name) => name.startsWith('styles/') && !files.includes(name));
  if (forgotten !== undefined) throw new Error(`public/${forgotten} has no place in the order of styles`);
  return Buffer.concat(files.map((name) => bodies.get(name) ?? missing(name)));
}

/** Our own styles and scripts without comments and indentation, a quarter of what browsers would fetch. */
function withoutComments(name: string, body: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  if (!name.startsWith(SCRIPTS) && !name.startsWith('styles/') && name !== 'times.js') return body;
  const comments = name.endsWith('.css') ? /\/\*.*?\*\//gs : /^ *\/\/.*$/gm;
  return Buffer.from(body.toString().replace(comments, '').replace(/^\s+/gm, ''));
}

function missing(name: string): never {
  throw new Error(`public/${name} is missing`);
}

function hashOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, 16);
}

function filesOfPublic(): [string, string][] {
  const folder = path.join(ROOT, 'public');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && path.extname(entry.name) in TYPES)
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => [path.relative(folder, file).split(path.sep).join('/'), file]);
}

function filesOfPackages(): [string, string][] {
  const { resolve } = createRequire(import.meta.url);
  return Object.entries(OF_PACKAGES).map(([name, file]) => [name, resolve(file)]);
}

const squeeze = { br: promisify(brotliCompress), gzip: promisify(gzip) };
/** The level of Brotli: higher ones save one percent more and take ten times as long. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 7 } };
const WORTH_COMPRESSING = /^(?:text\/|application\/json|image\/svg)/;
const SMALL = 1_024;

function assetOf(name: string, body: Buffer<ArrayBuffer>, hash: string): Asset {
  return createAsset(body, TYPES[path.extname(name)] ?? 'application/octet-stream', hash);
}

/** Content as something to serve, compressed at most once in each way. */
export function createAsset(body: Buffer<ArrayBuffer>, type: string, hash = hashOf(body)): Asset {
  const made = new Map<Encoding, Promise<Buffer>>();
  return {
    type,
    body,
    hash,
    compressed: (encoding) => {
      if (body.length < SMALL || !WORTH_COMPRESSING.test(type)) return undefined;
      let smaller = made.get(encoding);
      if (!smaller) made.set(encoding, (smaller = encoding === 'br' ? squeeze.br(body, BROTLI) : squeeze.gzip(body)));
      return smaller;
    },
  };
}
