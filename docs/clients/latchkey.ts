// Guards routes of Koa, Express and Fastify by Latchkey keys. Copy this file, and see README.md beside it. Node 20 or later.
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The key that let a request in. Serve the data of its `tenantId`, whatever else the request says. */
export type ApiKey = { keyId: string; tenantId: string; scopes: string[]; externalId: string | null };
declare module 'node:http' {
  interface IncomingMessage {
    apiKey?: ApiKey; // Set by a guard. It is `ctx.req.apiKey` in Koa, `request.raw.apiKey` in Fastify.
  }
}
export type LatchkeyOptions = {
  url?: string; // Where Latchkey is: LATCHKEY_URL unless given.
  key?: string; // This backend's own key, with the scope keys:verify: LATCHKEY_KEY unless given.
  timeoutMs?: number; // How long an answer is waited for: a second unless given.
  whenAway?: 'refuse' | 'allow'; // While Latchkey is away: 503, or everybody is let in unchecked, without `apiKey`.
  rememberSeconds?: number; // How long a good key passes unasked. No limit counts that, and so late a revoke may be.
};
type Refusal = { headers: Record<string, string>; problem: { status: number } };
type Verdict = ApiKey & { valid: unknown; expiresAt: string | null; refusal?: Refusal };
type KoaContext = { req: IncomingMessage; ip: string; _matchedRoute?: unknown; set(headers: object): unknown };
type ExpressRequest = IncomingMessage & { ip?: string | undefined; baseUrl?: string; route?: { path: string } };
type FastifyRequest = { raw: IncomingMessage; ip: string; routeOptions: { url?: string | undefined } };
type Reply = { code(status: number): Reply; headers(all: object): Reply; send(body: Buffer): unknown };

/** What is answered where Latchkey is not asked, or gives no answer. */
function refused(status: number, code: string, title: string, detail: string, header?: [string, string]): Refusal {
  const headers = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' };
  const problem = { type: `urn:latchkey:problem:${code}`, title, status, detail, code };
  return { headers: header ? { ...headers, [header[0]]: header[1] } : headers, problem };
}
const NONE = refused(401, 'missing_credential', 'Credential required', 'Send an API key.', [
  'WWW-Authenticate',
  'Bearer realm="latchkey", ApiKey realm="latchkey"',
]);
const TWO = refused(400, 'ambiguous_credentials', 'More than one credential', 'Send exactly one credential, once.');
const AWAY_DETAIL = 'Keys cannot be checked; try again shortly.';
const AWAY = refused(503, 'temporarily_unavailable', 'Temporarily unavailable', AWAY_DETAIL, ['Retry-After', '1']);

/** All credentials of a request: its raw headers have those too that repeat. */
function credentialsOf({ rawHeaders }: IncomingMessage): string[] {
  const credential = /^(?:x-api-key:|authorization:(?:ApiKey|Bearer)(?= |$))(.*)/is;
  const lines = rawHeaders.map((name, n) => `${name}:${rawHeaders[n + 1]}`).filter((_, n) => n % 2 === 0);
  return lines.flatMap((line) => credential.exec(line)?.[1]?.trim() ?? []);
}

export function createLatchkey(options: LatchkeyOptions = {}) {
  const { url = process.env['LATCHKEY_URL'], timeoutMs = 1_000 } = options;
  const key = (options.key ?? process.env['LATCHKEY_KEY'] ?? '').trim();
  // What no header takes is refused here, since the error of Node would show it.
  if (!url || !/^[!-~]+$/.test(key)) throw new Error('Set LATCHKEY_URL, and LATCHKEY_KEY to a key.');
  const endpoint = new URL('/api/v1/keys/verify', url);
  const headers = new Headers({ 'x-api-key': key, 'Content-Type': 'application/json' });
  const remembered = new Map<string, { apiKey: ApiKey; until: number }>();
  /** Lets a request in with its `apiKey`, or gives what to answer instead. */
  async function check(request: IncomingMessage, from: string | undefined, scopes: string[], route: unknown) {
    const [shown, another] = credentialsOf(request);
    if (shown === undefined || another !== undefined) return shown === undefined ? NONE : TWO;
    // Where the address is not known, one is sent that is in no network: without any, networks are not checked.
    const ip = from || request.socket.remoteAddress || '0.0.0.0';
    const question = { key: shown, ip, ...(scopes.length > 0 && { scopes }) };
    const hash = createHash('sha256').update(JSON.stringify(question)).digest('base64');
    const [known, now] = [remembered.get(hash), performance.now()];
    if (known && now < known.until) return void (request.apiKey = known.apiKey);
    const resource = typeof route === 'string' ? `${request.method} ${route}` : undefined;
    let status = 0;
    try {
      const body = JSON.stringify({ ...question, resource, userAgent: request.headers['user-agent'] });
      const signal = AbortSignal.timeout(timeoutMs);
      // The connections of fetch stay open. A redirect is not followed, so that no key goes elsewhere.
      const answer = await fetch(endpoint, { method: 'POST', redirect: 'manual', headers, body, signal });
      status = answer.status;
      const text = await answer.text();
      const verdict = (status === 200 ? JSON.parse(text) : {}) as Verdict;
      if (verdict.valid !== true && verdict.refusal) return verdict.refusal;
      if (verdict.valid !== true) throw new Error(`it answered ${status}`);
      const expiresMs = Date.parse(verdict.expiresAt ?? '9999-12-31') - Date.now();
      const rememberMs = Math.min((options.rememberSeconds ?? 0) * 1_000, expiresMs);
      if (remembered.size >= 10_000) remembered.delete(remembered.keys().next().value ?? '');
      if (rememberMs > 0) remembered.set(hash, { apiKey: verdict, until: now + rememberMs });
      return void (request.apiKey = verdict);
    } catch (error) {
      process.emitWarning(`Latchkey gave no verdict: ${String((error as Error).cause ?? error)}`);
      // An answer below 500 is about our own key or question, and never opens.
      return options.whenAway === 'allow' && (status === 0 || status >= 500) ? undefined : AWAY;
    }
  }

  /** `guard('projects:read').koa` is for keys that hold the scope; of several scopes a key must hold all. */
  return (...scopes: string[]) => ({
    koa: async (ctx: KoaContext, next: () => Promise<unknown>): Promise<unknown> => {
      const refused = await check(ctx.req, ctx.ip, scopes, ctx._matchedRoute);
      if (!refused) return next();
      ctx.set(refused.headers);
      return Object.assign(ctx, { status: refused.problem.status, body: JSON.stringify(refused.problem) });
    },
    express: async (req: ExpressRequest, res: ServerResponse, next: () => void): Promise<void> => {
      const refused = await check(req, req.ip, scopes, req.route && `${req.baseUrl ?? ''}${req.route.path}`);
      if (refused) res.writeHead(refused.problem.status, refused.headers).end(JSON.stringify(refused.problem));
      else next();
    },
    fastify: async ({ raw, ip, routeOptions }: FastifyRequest, reply: Reply): Promise<unknown> => {
      const refused = await check(raw, ip, scopes, routeOptions.url);
      if (!refused) return undefined;
      const body = Buffer.from(JSON.stringify(refused.problem));
      return reply.code(refused.problem.status).headers(refused.headers).send(body);
    },
  });
}
