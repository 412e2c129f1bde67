import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type ConsoleMessage,
  type Disposable,
  type Page,
} from 'playwright-core';
import { CHROMIUMS } from '../../scripts/testPrograms.ts';
import { PASSWORD } from './cast.ts';
import { Client } from './http.ts';
import { Visitor } from './visitor.ts';

/** How somebody looks at the pages; what is left out is English, dark, 1280 wide and with JavaScript. */
export interface Looking {
  javaScript?: boolean;
  theme?: 'dark' | 'light';
  locale?: 'en' | 'fr';
  width?: number;
  /** That of the machine unless one is named. */
  timeZone?: string;
}

/** Somebody who can sign in. */
interface Person {
  email: string;
}

/** A window of the browser with one page, whose language, zone and scripts cannot be changed any more. */
interface BrowserWindow {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What it can be used for again. */
  readonly kind: string;
}

type Cookies = Parameters<BrowserContext['addCookies']>[0];

const FLAGS = [
  // A page lives for a second or two: compiling its code for long runs takes more than that saves.
  '--js-flags=--no-opt,--no-maglev',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** The rules of axe whose outcome depends on colours, or on what a width shows. */
export const RULES_OF_LOOKS = [
  ...['color-contrast', 'link-in-text-block', 'target-size', 'scrollable-region-focusable', 'aria-hidden-focus'],
  ...['label', 'link-name', 'button-name', 'empty-heading', 'nested-interactive'],
];
/** Pages answer in milliseconds: what is not there by then does not come. */
const PATIENCE_MS = 20_000;

/** What a page complains by. */
const WATCHED = ['console', 'pageerror'];
/** What tests listen to on a page themselves. */
const HEARD_BY_TESTS = ['dialog', 'download', 'popup', 'request', 'requestfailed', 'response'];
/** An address of every server whose answer has no script. */
const PLAIN_ANSWER = '/api/health';

/**
 * The browser of a process that runs many files, each of which would wait for its own. Where a process runs one file after
 * another by itself it would never end while a browser is open.
 */
let sharedBrowser: Promise<Browser> | undefined;
const isShared = process.env.MOCHA_WORKER_ID !== undefined;

/** A real Chromium for the suite that asks for it; each test finds pages like new, and fails on any trouble of theirs. */
export class TestBrowser {
  #browser: Browser | undefined;
  #inUse: BrowserWindow[] = [];
  /** Windows of earlier tests: a new one takes the browser three times as long as a page in one that is there. */
  #idle: BrowserWindow[] = [];
  #scripts: Disposable[] = [];
  #troubles: string[] = [];
  #expected = new Set<number>();
  readonly #signedIn = new Map<string, Cookies>();

  /** Opens a page of the server. */
  async open(server: { url: string }, path: string, looking: Looking = {}): Promise<Page> {
    const page = await this.#page(server, looking);
    await page.goto(path);
    return page;
  }

  /** Opens a page as this person, who signs in the first time and stays signed in. */
  async as(person: Person, server: { url: string }, path: string, looking: Looking = {}): Promise<Page> {
    const name = `${server.url} ${person.email}`;
    let cookies = this.#signedIn.get(name);
    if (!cookies) this.#signedIn.set(name, (cookies = await this.#signIn(person, server)));
    const page = await this.#page(server, looking, cookies);
    await page.goto(path);
    return page;
  }

  /** Runs the script in this page before its own ones, from the next address on until the test ends. */
  async runFirst(page: Page, script: string): Promise<void> {
    this.#scripts.push(await page.addInitScript(script));
  }

  /** Says that the test makes the server answer with these statuses, which Chromium reports as errors. */
  expects(...statuses: number[]): void {
    for (const status of statuses) this.#expected.add(status);
  }

  async start(): Promise<void> {
    this.#browser = await (isShared ? (sharedBrowser ??= launch()) : launch());
  }

  async stop(): Promise<void> {
    await Promise.all(this.#idle.map(async ({ context }) => context.close()));
    this.#idle = [];
    if (!isShared) await this.#browser?.close();
  }

  /** Puts the windows of a test back; throws where one of them had something to complain about. */
  async endTest(): Promise<void> {
    const troubles = this.#troubles;
    const used = this.#inUse;
    this.#inUse = [];
    for (const script of this.#scripts.splice(0)) await script.dispose();
    await Promise.all(used.map(async (window) => this.#putBack(window)));
    this.#troubles = [];
    this.#expected = new Set();
    if (troubles.length > 0) throw new Error(`The browser complained:\n${troubles.join('\n')}`);
  }

  /** Sends what the login page sends, which has tests of its own: a page opened for each would cost half a second. */
  async #signIn({ email }: Person, { url }: { url: string }): Promise<Cookies> {
    const visitor = new Visitor(new Client(url), { 'User-Agent': this.#userAgent });
    const { status } = await visitor.signIn(email, PASSWORD);
    if (status !== 303) throw new Error(`${email} cannot sign in: ${status}`);
    const place = { domain: new URL(url).hostname, path: '/', expires: -1, httpOnly: true, secure: false };
    return [...visitor.cookies].map(([name, value]) => ({ name, value, ...place, sameSite: 'Lax' as const }));
  }

  /** As the pages of this browser say it, since the list of sessions shows it. */
  get #userAgent(): string {
    return `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/${this.#browser?.version() ?? ''}`;
  }

  async #page({ url }: { url: string }, looking: Looking, cookies: Cookies = []): Promise<Page> {
    const { javaScript = true, theme = 'dark', locale = 'en', width = 1280, timeZone } = looking;
    const kind = JSON.stringify([url, javaScript, locale, timeZone]);
    const index = this.#idle.findIndex((idle) => idle.kind === kind);
    const [idle] = index < 0 ? [] : this.#idle.splice(index, 1);
    const window = idle ?? (await this.#openWindow(kind, url, { javaScript, locale, ...(timeZone && { timeZone }) }));
    this.#inUse.push(window);
    const { context, page } = window;
    await Promise.all([
      page.setViewportSize({ width, height: width < 720 ? 844 : 900 }),
      page.emulateMedia({ media: null, colorScheme: theme, reducedMotion: 'reduce', forcedColors: null }),
      context.addCookies(cookies),
    ]);
    this.#watch(page);
    return page;
  }

  async #openWindow(
    kind: string,
    baseURL: string,
    { javaScript = true, locale = 'en', timeZone }: Looking,
  ): Promise<BrowserWindow> {
    if (!this.#browser) throw new Error('useBrowser() has a browser only while its suite runs');
    const context = await this.#browser.newContext({
      baseURL,
      javaScriptEnabled: javaScript,
      locale,
      ...(timeZone && { timezoneId: timeZone }),
    });
    context.setDefaultTimeout(PATIENCE_MS);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await context.addInitScript(
      `addEventListener('securitypolicyviolation', (event) => console.error('CSP refused ' + event.violatedDirective));`,
    );
    return { context, page: await context.newPage(), kind };
  }

  /** Makes a window like new; one that has more or less than its page, or cannot be made like new, is closed. */
  async #putBack(window: BrowserWindow): Promise<void> {
    const { context, page } = window;
    for (const event of [...WATCHED, ...HEARD_BY_TESTS]) page.removeAllListeners(event);
    try {
      if (context.pages().length !== 1 || page.isClosed()) throw new Error('it has other pages than its own');
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      // Leaving a page may keep what was typed there, which is cleared after that.
      await page.goto(PLAIN_ANSWER, { waitUntil: 'commit' });
      await page.evaluate('localStorage.clear(); sessionStorage.clear()');
      await Promise.all([context.clearCookies(), page.mouse.move(-1, -1)]);
      this.#idle.push(window);
    } catch {
      await context.close();
    }
  }

  #watch(page: Page): void {
    page.on('pageerror', (error) => this.#troubles.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      if (!this.#isExpected(message)) this.#troubles.push(`${page.url()}: ${message.text()}`);
    });
  }

  #isExpected(message: ConsoleMessage): boolean {
    const status = /^Failed to load resource: the server responded with a status of (\d+)/.exec(message.text())?.[1];
    return status !== undefined && this.#expected.has(Number(status));
  }
}

async function launch(): Promise<Browser> {
  const executablePath = CHROMIUMS.find((program) => existsSync(program));
  if (executablePath === undefined) {
    throw new Error(
      'No Chromium was found: apt-get install --no-install-recommends chromium-headless-shell fonts-dejavu-core',
    );
  }
  return chromium.launch({ executablePath, args: FLAGS });
}

/** Gives the suite it is called in a browser: `const browser = useBrowser();`. */
export function useBrowser(): TestBrowser {
  const browser = new TestBrowser();
  before(async function () {
    this.timeout(60_000);
    await browser.start();
  });
  beforeEach(function () {
    // A browser that shares its processors with other suites is slow, not wrong.
    this.currentTest?.timeout(60_000);
  });
  afterEach(async () => browser.endTest());
  after(async () => browser.stop());
  return browser;
}

/** Signs in on the login page that is open, as somebody of the cast unless another password is given. */
export async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel(/^(Password|Mot de passe)$/).fill(password);
  await Promise.all([page.waitForEvent('framenavigated'), page.locator('main button[type=submit]').click()]);
  await page.waitForLoadState();
}

/** Opens the menu of the person who is signed in: their language, theme and the way out. */
export async function openAccount(page: Page): Promise<void> {
  await page.locator('[popovertarget=account]').click();
  await page.locator('#account').waitFor();
}

interface Violation {
  id: string;
  nodes: { html: string; failureSummary?: string }[];
}

/** Expects that axe has nothing to say about the page as it is now; of these rules alone where some are named. */
export async function expectAccessible(page: Page, rules?: readonly string[]): Promise<void> {
  // The page may have it from the time before.
  if (!(await page.evaluate<boolean>(`'axe' in window`))) await addAxe(page);
  // What it would load again, styles and media, is for rules that are off.
  const options = { resultTypes: ['violations'], preload: false, ...(rules && { runOnly: rules }) };
  const { violations } = await page.evaluate<{ violations: Violation[] }>(
    `axe.run(document, ${JSON.stringify(options)})`,
  );
  const found = violations.map(
    ({ id, nodes }) =>
      `${id}:\n${nodes.map(({ html, failureSummary }) => `  ${html}\n  ${failureSummary ?? ''}`).join('\n')}`,
  );
  if (found.length > 0) throw new Error(`axe found on ${page.url()}:\n${found.join('\n')}`);
}

/** Expects that nothing of the page lies outside the window's width. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const [content, shown] = await page.evaluate<[number, number]>(
    `[document.documentElement.scrollWidth, document.documentElement.clientWidth]`,
  );
  if (content > shown) throw new Error(`${page.url()} is ${content} pixels wide in a window of ${shown}`);
}

/**
 * Expects that the page is accessible and that nothing of it lies outside the window: in the dark at the largest width by
 * all rules, in the light down to the smallest by those that colours and widths decide. Ends in the dark at the largest.
 */
export async function expectWellInBothThemes(
  page: Page,
  atEachWidth: (width: number) => Promise<void> = async () => undefined,
): Promise<void> {
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectToFit(page, [1280], atEachWidth);
  // A bar that sticks to the foot of the window lies over what is behind it until the page is read to its end.
  await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: 'light' });
  await expectToFit(page, [768, 390], atEachWidth);
  await expectAccessible(page, RULES_OF_LOOKS);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 1280, height: 900 });
}

/** Expects that nothing of the page lies outside a window of any of these widths. */
export async function expectToFit(
  page: Page,
  widths: readonly number[] = [390, 768, 1280],
  atEachWidth: (width: number) => Promise<void> = async () => undefined,
): Promise<void> {
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    await expectNoOverflow(page);
    await atEachWidth(width);
  }
}

/** What the browser shows after its Back button, be it a page of ours or its own about a form sent before. */
export async function behind(page: Page): Promise<string> {
  await page.goBack({ waitUntil: 'commit' }).catch(() => undefined);
  for (;;) {
    // Until the page it leads to is there, there is no content to ask for.
    const html = await page.content().catch(() => undefined);
    if (html !== undefined) return html;
  }
}

let axeSource: Promise<string> | undefined;

/**
 * Gives the page axe as text to evaluate, since its policy would block a script. The browser compiles a text that it is
 * told to evaluate once for all pages; what a page evaluates for `page.evaluate` it would compile for each.
 */
async function addAxe(page: Page): Promise<void> {
  axeSource ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const session = await page.context().newCDPSession(page);
  const { exceptionDetails } = await session.send('Runtime.evaluate', { expression: await axeSource });
  await session.detach();
  if (exceptionDetails) throw new Error(`axe could not be loaded on ${page.url()}: ${exceptionDetails.text}`);
}
