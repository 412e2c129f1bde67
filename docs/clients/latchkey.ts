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
type Refused = { missingScopes?: string[]; rateLimit?: { resetSeconds: number } };
type Verdict = ApiKey & Refused & { valid: unknown; code: string; expiresAt: string | null };
type KoaContext = { req: IncomingMessage; ip: string; _matchedRoute?: unknown; set(headers: object): unknown };
type ExpressRequest = IncomingMessage & { ip?: string | undefined; baseUrl?: string; route?: { path: string } };
type FastifyRequest = { raw: IncomingMessage; ip: string; routeOptions: { url?: string | undefined } };
type Reply = { code(status: number): Reply; headers(all: object): Reply; send(body: Buffer): unknown };

/** What Latchkey itself says to such a key; a code that is not here is a 403. */
const PROBLEMS: Record<string, [status: number, code: string, title: string, detail: string]> = {
  two: [400, 'ambiguous_credentials', 'More than one credential', 'Send exactly one credential, once.'],
  none: [401, 'missing_credential', 'Credential required', 'Send an API key.'],
  not_found: [401, 'invalid_key', 'Invalid API key', 'This is not a valid API key.'],
  revoked: [401, 'key_revoked', 'API key revoked', 'This API key has been revoked.'],
  expired: [401, 'key_expired', 'API key expired', 'This API key has expired.'],
  paused: [401, 'key_paused', 'API key paused', 'This API key is paused.'],
  insufficient_scope: [403, 'insufficient_scope', 'Missing scope', 'Missing required scope: '],
  rate_limited: [429, 'rate_limited', 'Too many requests', 'Too many requests; try again later.'],
  quota_exceeded: [429, 'quota_exceeded', 'Quota spent', 'This API key has used its quota for the month.'],
  away: [503, 'temporarily_unavailable', 'Temporarily unavailable', 'Keys cannot be checked; try again shortly.'],
};

function refusal(why: string, { missingScopes = [], rateLimit }: Refused = {}) {
  const [status, code, title, detail] = PROBLEMS[why] ?? [403, why, 'Refused', 'This API key may not be used here.'];
  const scope = missingScopes.join(' ');
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' };
  const error = why === 'none' ? '' : `, error="${scope ? 'insufficient_scope' : 'invalid_token'}"`;
  if (status === 401) headers['WWW-Authenticate'] = `Bearer realm="latchkey"${error}, ApiKey realm="latchkey"`;
  if (scope) headers['WWW-Authenticate'] = `Bearer realm="latchkey"${error}, scope="${scope}"`;
  const now = new Date();
  const monthLeft = (Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1) - now.getTime()) / 1000;
  const wait = { rate_limited: rateLimit?.resetSeconds ?? 1, quota_exceeded: Math.ceil(monthLeft), away: 1 }[why];
  if (wait !== undefined) headers['Retry-After'] = String(wait);
  const problem = { type: `urn:latchkey:problem:${code}`, title, status, detail: detail + scope, code };
  return { status, headers, body: JSON.stringify(problem) };
}

/** All credentials of a request: its raw headers have those too that repeat. */
function credentialsOf({ rawHeaders }: IncomingMessage): string[] {
  const credential = /^(?:x-api-key:|authorization:(?:ApiKey|Bearer)(?= |$))(.*)/is;
  const lines = rawHeaders.map((name, n) => `${name}:${rawHeaders[n + 1]}`).filter((_, n) => n % 2 === 0);
  return lines.flatMap((line) => credential.exec(line)?.[1]?.trim() ?? []);
}

export function createLatchkey(options: LatchkeyOptions = {}) {
  const { url = process.env['LATCHKEY_URL'], key = process.env['LATCHKEY_KEY'], timeoutMs = 1_000 } = options;
  if (!url || !key) throw new Error('Latchkey needs its url and a key: set LATCHKEY_URL and LATCHKEY_KEY.');
  const endpoint = new URL('/api/v1/keys/verify', url);
  const headers = new Headers({ 'x-api-key': key, 'Content-Type': 'application/json' });
  const remembered = new Map<string, { apiKey: ApiKey; until: number }>();
  /** Lets a request in with its `apiKey`, or gives what to answer instead. */
  async function check(request: IncomingMessage, from: string | undefined, scopes: string[], route: unknown) {
    const [shown, another] = credentialsOf(request);
    if (shown === undefined || another !== undefined) return refusal(shown === undefined ? 'none' : 'two');
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
      if (status !== 200) throw new Error(`${status} ${await answer.text()}`);
      const verdict = (await answer.json()) as Verdict;
      if (verdict.valid !== true) return refusal(verdict.code, verdict);
      const expiresMs = Date.parse(verdict.expiresAt ?? '9999-12-31') - Date.now();
      const rememberMs = Math.min((options.rememberSeconds ?? 0) * 1_000, expiresMs);
      if (remembered.size >= 10_000) remembered.delete(remembered.keys().next().value ?? '');
      if (rememberMs > 0) remembered.set(hash, { apiKey: verdict, until: now + rememberMs });
      return void (request.apiKey = verdict);
    } catch (error) {
      process.emitWarning(`Latchkey gave no verdict: ${String((error as Error).cause ?? error)}`);
      // An answer below 500 is about our own key or question, and never opens.
      return options.whenAway === 'allow' && (status === 0 || status >= 500) ? undefined : refusal('away');
    }
  }

  /** `guard('projects:read').koa` is for keys that hold the scope; of several scopes a key must hold all. */
  return (...scopes: string[]) => ({
    koa: async (ctx: KoaContext, next: () => Promise<unknown>): Promise<unknown> => {
      const refused = await check(ctx.req, ctx.ip, scopes, ctx._matchedRoute);
      if (!refused) return next();
      ctx.set(refused.headers);
      return Object.assign(ctx, { status: refused.status, body: refused.body });
    },
    express: async (req: ExpressRequest, res: ServerResponse, next: () => void): Promise<void> => {
      const refused = await check(req, req.ip, scopes, req.route && `${req.baseUrl ?? ''}${req.route.path}`);
      if (refused) res.writeHead(refused.status, refused.headers).end(refused.body);
      else next();
    },
    fastify: async ({ raw, ip, routeOptions }: FastifyRequest, reply: Reply): Promise<unknown> => {
      const refused = await check(raw, ip, scopes, routeOptions.url);
      return refused && reply.code(refused.status).headers(refused.headers).send(Buffer.from(refused.body));
    },
  });
}
