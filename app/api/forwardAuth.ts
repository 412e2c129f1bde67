import Router from '@koa/router';
import { z } from 'zod';
import { keyQuestion, usableKey, type KeyQuestion } from '../auth/apiKey.ts';
import { holdsScope } from '../auth/authority.ts';
import { missingScope, unauthenticated } from '../auth/challenge.ts';
import { credentialOf } from '../auth/credential.ts';
import { ruleSetOf } from '../auth/forwardAuthRules.ts';
import { jwt } from '../auth/jwt.ts';
import { tenant } from '../auth/tenant.ts';
import { principalOf, type Context, type Middleware, type State } from '../context.ts';
import { routeOfRule, type ForwardAuthRule, type ProxiedRequest } from '../domain/forwardAuthRules.ts';
import { Networks, normaliseAddress } from '../domain/network.ts';
import { catalogueOf } from '../domain/productScopes.ts';
import type { ScopeCatalogue } from '../domain/scopeCatalogue.ts';
import { AppError } from '../errors.ts';
import { accessOf, configuredProxy } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { sendProblem } from '../http/handleErrors.ts';
import { compose } from '../http/compose.ts';
import { askedRequest, proxiedRequest, type Proxy } from '../http/proxiedRequest.ts';
import { onlyFromPeers } from '../http/proxyPeers.ts';
import { ROUTER } from '../http/router.ts';
import type { Services } from '../services.ts';
import { IDENTITY_HEADERS, presentIdentity } from './answers/forwardAuth.ts';
import { loggedText } from './verifiedKeyUse.ts';

type Parts = Pick<Services, 'config' | 'log' | 'lookup' | 'limits' | 'keyTexts' | 'verificationKey'>;

/** What stands before the endpoints of proxies, in this order. */
export function forwardAuthGuards(parts: Parts): Middleware[] {
  const peers = onlyFromPeers(Networks.of(parts.config.forwardAuthPeers), parts.log);
  return [peers, asNginxTakesIt, judgeProxiedRequest(parts)];
}

/** The endpoints at which proxies ask whether to let a request through; any method is answered, and no body is read. */
export function forwardAuthRoutes(): Router<State> {
  const router = new Router<State>(ROUTER);
  for (const [path, proxy] of ENDPOINTS) {
    router.all(path, configuredProxy(proxy), answers(200, z.never(), SUMMARY, [], IDENTITY_HEADERS), letThrough);
  }
  return router;
}

const ENDPOINTS: readonly (readonly [path: string, proxy: Proxy])[] = [
  ['/nginx', 'nginx'],
  ['/traefik', 'traefik'],
  ['/caddy', 'caddy'],
  ['/envoy/{*path}', 'envoy'],
];

const SUMMARY =
  'Says, for a proxy, whether the rules let a request through, and counts the use of its key; without a body.';

const letThrough: Middleware = async (ctx) => {
  ctx.set(presentIdentity(ctx.state.principal));
  ctx.status = 200;
  ctx.body = '';
  ctx.remove('Content-Type');
};

/**
 * Judges the request that a proxy asks about: the first rule that is about it says what it takes. Who calls is found as on
 * every protected route, with the same limits, but counted by the client's address in place of the proxy's.
 */
function judgeProxiedRequest({ config, lookup, limits, keyTexts, verificationKey }: Parts): Middleware {
  const { prefix } = config.keys;
  const askKey = keyQuestion(lookup, keyTexts, limits.doubtful);
  const readToken = compose([jwt(config.jwt, verificationKey), tenant(lookup, 'credentialAlone', limits.doubtful)]);

  return async (ctx, next) => {
    const access = accessOf(ctx);
    if (access?.kind !== 'proxy') throw new Error('a route that states no proxy was reached as one of a proxy');
    closeAfterBody(ctx);
    const asked = askedRequest(ctx, access.proxy);
    noteAddress(ctx, asked.address);
    const request = proxiedRequest(asked);
    const credential = credentialOf(ctx, keyTexts);
    if (credential) ctx.state.credential = credential;
    // Both are asked in one turn, and so after the request came: a change of either holds once its call has returned.
    const settings = lookup.settings();
    const key = credential?.kind === 'key' ? askKey(ctx, credential) : undefined;
    key?.catch(() => undefined);
    const { forward_auth_rules: storedRules, scopes } = await settings;
    const rules = ruleSetOf(storedRules);
    const place = rules.firstMatch(request);
    const rule = place === undefined ? undefined : rules.rules[place];
    if (!rule || !('public' in rule)) {
      ctx.state.recordedAs = recordedAs(request, rule);
      await limits.address(ctx, () => identified(ctx, rule, key, catalogueOf(scopes.value)));
    }
    ctx.state.granted = access;
    if (!ctx.state.principal) return next() as Promise<void>;
    return limits.caller(ctx, next) as Promise<void>;
  };

  /** Finds the caller, and refuses one who may not send the request. Where no rule is about it, no credential would help. */
  async function identified(
    ctx: Context,
    rule: ForwardAuthRule | undefined,
    key: ReturnType<KeyQuestion> | undefined,
    catalogue: ScopeCatalogue,
  ): Promise<void> {
    let refusal: AppError | undefined;
    try {
      await identify(ctx, key);
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error;
      refusal = error;
    }
    if (!rule || 'public' in rule) throw new AppError('no_matching_rule', 'no_matching_rule');
    if (refusal) throw refusal;
    if (!holdsScope(principalOf(ctx), rule.scope, catalogue)) throw missingScope(rule.scope);
  }

  async function identify(ctx: Context, asked: ReturnType<KeyQuestion> | undefined): Promise<void> {
    const { credential } = ctx.state;
    if (!credential) throw unauthenticated('missing_credential', 'send_a_credential');
    if (credential.kind === 'jwt' || !asked) return readToken(ctx, async () => undefined) as Promise<void>;
    const { key, hash } = await asked;
    ctx.state.principal = usableKey(key, credential, ctx.state.address);
    limits.doubtful.foundValid(hash);
  }

  function recordedAs({ method, path }: ProxiedRequest, rule: ForwardAuthRule | undefined) {
    return {
      method,
      endpoint: loggedText(rule ? routeOfRule(rule, path) : path, prefix) ?? 'unknown',
      scope: rule && 'scope' in rule ? rule.scope : null,
    };
  }
}

/** A proxy that sends a body might not send all that it announces, and what it sends next would be taken for the rest. */
function closeAfterBody(ctx: Context): void {
  const { headers } = ctx.req;
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0) {
    ctx.set('Connection', 'close');
  }
}

/** The client's address, by which its networks are checked and its bad credentials counted; the proxy's only where it is unknown. */
function noteAddress(ctx: Context, address: string | null): void {
  ctx.state.address = address;
  ctx.state.countedAddress = address ?? normaliseAddress(ctx.req.socket.remoteAddress ?? '') ?? '0.0.0.0';
}

/** The answers that nginx hands on; of any other it makes a 500, which is right where it was configured wrongly. */
const NGINX_TAKES: ReadonlySet<number> = new Set([401, 403]);

/** Sends nginx a refusal that it does not hand on as 403, with the right status in `X-Auth-Status`. */
const asNginxTakesIt: Middleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    const access = accessOf(ctx);
    const isRefusal = error instanceof AppError && error.status < 500 && error.code !== 'proxy_request_incomplete';
    if (access?.kind !== 'proxy' || access.proxy !== 'nginx' || !isRefusal || NGINX_TAKES.has(error.status))
      throw error;
    if (ctx.state.recordedAs) ctx.state.recordedAs.statusCode = error.status;
    ctx.set('X-Auth-Status', String(error.status));
    sendProblem(ctx, error, 403);
  }
};
