import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { chromium, type Page } from 'playwright-core';
import { ROOT } from '../app/root.ts';
import { CHROMIUMS } from './testPrograms.ts';

/** Where the pages seem to be, so that no address of this machine gets into a picture. */
const HOST = 'keys.example.com';
/** Where its visitors seem to come from, as a proxy would say it. */
const FROM = { 'X-Forwarded-For': '203.0.113.10' };
const SEED = '7';
const FOLDER = path.join(ROOT, 'docs');
const MOST_BYTES = 200_000;

const run = promisify(execFile);

interface Demo {
  people: { email: string; password: string; operator: boolean }[];
}

await main();

/** Takes the pictures of README.md and docs/pages.md: the built app on a demo database of their own, in Chromium. */
async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'latchkey-pictures-'));
  const env = {
    PATH: process.env['PATH'],
    DATA_DIR: folder,
    PORT: String(await freePort()),
    HOST: '127.0.0.1',
    TRUSTED_HOPS: '1',
  };
  let server: ChildProcess | undefined;
  try {
    const { stdout } = await run(
      process.execPath,
      [path.join(ROOT, 'dist/scripts/admin.js'), 'demo', '--json', '--seed', SEED],
      { env },
    );
    server = await started(env);
    await takeAll(JSON.parse(stdout) as Demo, env.PORT);
  } finally {
    if (server) await ended(server);
    await rm(folder, { recursive: true, force: true });
  }
}

async function takeAll({ people }: Demo, port: string): Promise<void> {
  const executablePath = CHROMIUMS.find((program) => existsSync(program));
  if (executablePath === undefined)
    throw new Error('No Chromium was found: apt-get install chromium-headless-shell fonts-dejavu-core');
  const args = [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    `--host-resolver-rules=MAP ${HOST} 127.0.0.1:${port}`,
  ];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const context = await browser.newContext({
      baseURL: `http://${HOST}`,
      extraHTTPHeaders: FROM,
      colorScheme: 'dark',
      locale: 'en',
      reducedMotion: 'reduce',
      viewport: { width: 1280, height: 840 },
    });
    const page = await context.newPage();
    const operator = people.find(({ operator }) => operator);
    await page.goto('/login');
    await page.getByLabel('Email').fill(operator?.email ?? '');
    await page.getByLabel('Password').fill(operator?.password ?? '');
    await page.locator('main button[type=submit]').click();
    await page.locator('.keys-table').waitFor();
    await mkdir(FOLDER, { recursive: true });
    await takePages(page, port);
  } finally {
    await browser.close();
  }
}

async function takePages(page: Page, port: string): Promise<void> {
  // Signing in has led to the keys of the operator's organisation.
  const keys = new URL(page.url()).pathname;
  await page.goto(`${keys}?sort=-lastUsedAt`);
  await take(page, 'keys');

  await page.goto(`${keys}?q=Storefront&status=rotating`);
  await page.getByRole('link', { name: 'Storefront', exact: true }).click();
  await page.getByRole('link', { name: '7 days' }).click();
  await page.locator('.tabs [aria-current]', { hasText: '7 days' }).waitFor();
  await take(page, 'key');

  await page.goto(keys.replace(/api-keys$/, 'audit-logs'));
  await page.getByLabel('Who', { exact: true }).selectOption({ label: 'Ben Okafor' });
  await page.waitForURL('**actor=**');
  await take(page, 'audit');

  await page.goto(`${keys}/new?name=Nightly+export&scopes=orders:read,customers:read`);
  await page.getByRole('button', { name: 'Create key' }).click();
  const text = await page.getByLabel('The key', { exact: true }).inputValue();
  await fetch(`http://127.0.0.1:${port}/api/v1/whoami`, { headers: { 'x-api-key': text, ...FROM } });
  await page.getByText(/First request: GET/).waitFor();
  await take(page, 'new-key');
}

async function take(page: Page, name: string): Promise<void> {
  const file = path.join(FOLDER, `${name}.png`);
  await page.evaluate('document.activeElement?.blur()');
  await page.screenshot({ path: file });
  const { size } = statSync(file);
  if (size > MOST_BYTES) throw new Error(`${file} has ${size} bytes: at most ${MOST_BYTES} are meant`);
  process.stdout.write(`${path.relative(ROOT, file)}  ${Math.round(size / 1000)} kB\n`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

async function started(env: Readonly<Record<string, string | undefined>>): Promise<ChildProcess> {
  const server = spawn(process.execPath, [path.join(ROOT, 'dist/app/main.js')], {
    env: { ...env, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: server.stdout })) {
    if (line.includes('"msg":"ready"')) {
      server.stdout.resume();
      return server;
    }
  }
  throw new Error('The server ended before it was ready');
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const exit = once(server, 'exit');
  server.kill('SIGTERM');
  await exit;
}
