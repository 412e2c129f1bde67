import Router from '@koa/router';
import { findApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { listLeakReports } from '../../../db/tables/keys/apiKeyLeakReports.ts';
import { clientsSince, findFirstKeyUsage } from '../../../db/tables/usage/apiKeyUsage.ts';
import { listAuditLogs, type AuditLog } from '../../../db/tables/auditLogs.ts';
import { findMember } from '../../../db/tables/people/memberships.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { earlierExpiry } from '../../domain/keyBounds.ts';
import { keyStatus, whyEnded } from '../../domain/keyStatus.ts';
import { lifetimeProblem, type Policy } from '../../domain/policy.ts';
import type { ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import { maskKey } from '../../domain/token.ts';
import { emptyBuckets, periodOfUse } from '../../domain/statsPeriod.ts';
import { responseTimesOfKey, usageStats } from '../../usage/usageStats.ts';
import { findKeyOfPath, mayManageKeys, relatedKeys } from './keyPages.ts';
import { replacedAt } from './keyList.ts';
import { keysPath } from './keyAddress.ts';
import { keyLimits } from './keyLimits.ts';
import { chosenSpan, keyPagePath, KeyPageQuery, keyRequests, requestFilter, requestLinks } from './keyRequests.ts';
import { keyView, type KeyView } from './keyView.ts';
import { firstUse, scopeUses } from './keyUse.ts';
import { isPartial } from '../../http/redirect.ts';
import { changesOf } from '../audit/auditChanges.ts';
import type { Texts } from '../../locales/texts.ts';
import type { Pages } from '../shell/pages.ts';
import { requestOrigin, whoamiCurl } from '../shell/curl.ts';
import { chartTitle, usageChart, windowLinks } from '../shell/usageChart.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { query } from '../../http/input.ts';
import { ROUTER } from '../../http/router.ts';

const TOP_ROUTES = 8;
/** Takes a span from the choices of an address, since another period may not include it. */
const EVERY_SPAN = { from: undefined, to: undefined, cursor: undefined };
const AUDIT_ROWS = 20;
const MOST_CLIENTS = 20;

/** The page of one key: what it is, who uses it for what, and what was done with it. */
export function keyDetailPages(
  services: Pick<Services, 'config' | 'db' | 'usage' | 'lookup'>,
  pages: Pages,
): Router<State> {
  const { config, db } = services;
  return new Router<State>(ROUTER)
    .get('/api-keys/:id', permission('api-keys:read'), query(KeyPageQuery, showKey))
    .get('/api-keys/:id/first-use', permission('api-keys:read'), showFirstUse);

  async function showKey(ctx: Context, asked: KeyPageQuery): Promise<void> {
    const texts = pages.texts(ctx);
    const key = await findKeyOfPath(ctx, services);
    const now = Date.now();
    const { id: reader, tenant } = principalOf(ctx);
    const { policy } = tenant;
    const page = `${keysPath(ctx)}/${key.id}`;
    const catalogue = await services.lookup.catalogue();
    const row = keyView(key, texts, now, { manages: mayManageKeys(ctx), reader, policy, catalogue });
    await pages.show(ctx, 'keys/show', {
      title: key.name,
      section: 'keys',
      listed: true,
      locals: {
        key: row,
        facts: await factsOf(key),
        limits: await keyLimits(services, key, policy, now),
        here: page,
        leaks: key.leakReportedAt === null ? undefined : await leaksOf(key, now),
        breaks: breakOf(key, policy, texts, now),
        rotation: await rotationOf(key, now),
        older: (await relatedKeys(db, key, now)).older,
        manages: mayManageKeys(ctx),
        ...(key.lastUsedAt === null
          ? { example: whoamiCurl(requestOrigin(ctx, config.publicUrl), row.masked) }
          : { use: await useOf(key, key.lastUsedAt, asked, { texts, row, catalogue, now, page }) }),
        audit: await auditOf(ctx, key),
      },
    });
  }

  /** What the key was used for in the period that was chosen, or else in the last one with requests. */
  async function useOf(
    key: ApiKey,
    lastUsedAt: number,
    asked: KeyPageQuery,
    { texts, row, catalogue, now, page }: Reading,
  ) {
    const window = asked.window ?? periodOfUse(lastUsedAt, now) ?? '30d';
    const stats = await usageStats(db, key, catalogue, emptyBuckets(window, now));
    const links = requestLinks(page, window);
    const times = await responseTimesOfKey(db, key, stats.buckets, now);
    const scopes = await scopeUses(db, key, catalogue, now);
    return {
      window,
      windows: windowLinks(window, texts.t, (one) => keyPagePath(page, { ...asked, ...EVERY_SPAN, window: one })),
      chartTitle: chartTitle(stats.buckets, texts.t),
      chart: usageChart(stats.buckets, texts, { hrefOf: links.of, current: chosenSpan(asked) }),
      links: links.outcomes,
      totals: { ...stats.totals, ok: stats.totals.ok - stats.totals.errors },
      times,
      routes: stats.topEndpoints.slice(0, TOP_ROUTES).map((route) => ({
        ...route,
        href: links.to(route),
        denied: { count: route.denied, href: links.to(route, 'denied') },
        errors: { count: route.errors, href: links.to(route, 'error') },
      })),
      scopes: scopes.map((use, index) => ({ ...use, badge: row.scopes[index] })),
      unused: row.may.edit ? scopes.filter(({ idle }) => idle).map(({ scope }) => scope) : [],
      log: await keyRequests(db, key, asked, { page, span: stats, now, catalogue }),
      filter: requestFilter(page, { ...asked, window }, stats.topEndpoints, texts),
    };
  }

  /** Polled by the page of a new key; answers 204 until the key was used or the page gives up. */
  async function showFirstUse(ctx: Context): Promise<void> {
    const key = await findKeyOfPath(ctx, services);
    const use = await findFirstKeyUsage(db, key.tenantId, key.id);
    const locals = firstUse(keysPath(ctx), key, use, Date.now());
    if (!isPartial(ctx)) {
      pages.redirect(ctx, locals.requests);
      return;
    }
    if (locals.asking !== undefined) {
      ctx.status = 204;
      return;
    }
    await pages.show(ctx, 'keys/show', { title: key.name, section: 'keys', part: 'keys/_firstUse', locals });
  }

  async function factsOf(key: ApiKey) {
    const { previousKeyId, successorKeyId, userId, metadata, ...fields } = key;
    const previous = previousKeyId === null ? undefined : await findApiKey(db, key.tenantId, previousKeyId);
    const next = successorKeyId === null ? undefined : await findApiKey(db, key.tenantId, successorKeyId);
    const named = (one: ApiKey | undefined) => one && { id: one.id, masked: maskKey(one.keyPrefix, one.lastFour) };
    const owner = userId === null ? 'tenant' : 'user';
    return {
      ...fields,
      owner,
      ownerName: userId === null ? undefined : (await findMember(db, key.tenantId, userId))?.name,
      metadata: Object.entries(metadata).map(([name, value]) => ({ name, value: String(value) })),
      ...{ previous: named(previous), next: named(next) },
    };
  }

  /** Where the text of the key was found. Addresses are shown as text: anybody who holds the key may have written them. */
  async function leaksOf(key: ApiKey, now: number) {
    const reports = await listLeakReports(db, key.tenantId, key.id);
    return {
      works: !whyEnded(key, now),
      reports: reports.map(({ source, url, foundIn, createdAt }) => ({ source, url, foundIn, createdAt })),
    };
  }

  /** The clients that still use a replaced key in its grace period. */
  async function rotationOf(key: ApiKey, now: number) {
    if (keyStatus(key, now) !== 'rotating') return undefined;
    const since = await replacedAt(db, key);
    return {
      since,
      endsAt: key.graceEndsAt,
      clients: await clientsSince(db, key.tenantId, key.id, since, MOST_CLIENTS),
    };
  }

  /** The log is for those who may read it. */
  async function auditOf(ctx: Context, key: ApiKey) {
    const principal = principalOf(ctx);
    if (principal.type !== 'user' || !principal.permissions.has('audit:read')) return undefined;
    // Uses are in the list of requests.
    const changes = { entity: 'api_key', entityId: key.id, without: 'API_KEY_USED' } as const;
    const own = await listAuditLogs(db, key.tenantId, changes, { limit: AUDIT_ROWS });
    const logs = [...own, ...(await originOf(key))].slice(0, AUDIT_ROWS);
    return logs.map((log) => auditRow(log, key, pages.texts(ctx)));
  }

  /** The rotation that made the key, which is logged of the key that it replaced. */
  async function originOf({ tenantId, previousKeyId }: ApiKey): Promise<AuditLog[]> {
    if (previousKeyId === null) return [];
    const rotation = { action: 'API_KEY_ROTATED', entity: 'api_key', entityId: previousKeyId } as const;
    return listAuditLogs(db, tenantId, rotation, { limit: 1 });
  }
}

/** What a page is made with: who reads it when, and where it stands. */
interface Reading {
  texts: Texts;
  row: KeyView;
  catalogue: ScopeCatalogue;
  now: number;
  page: string;
}

/** Which rule of the policy the key breaks, and whether it is refused for that. */
function breakOf(key: ApiKey, policy: Policy, { t }: Texts, now: number) {
  const problem = lifetimeProblem(policy, earlierExpiry(key.expiresAt, key.graceEndsAt), key.createdAt);
  if (!problem || whyEnded(key, now)) return undefined;
  return {
    title: t(policy.enforceOnExisting ? 'keys.refused_title' : 'keys.breaks_title'),
    text: `${t(`keys.breaks_${problem}`, { days: policy.maxLifetimeDays ?? 0 })} ${t('keys.breaks_help')}`,
  };
}

/** A row of the key's audit log: the action, the actor and the changes. */
function auditRow(log: AuditLog, { previousKeyId }: ApiKey, texts: Texts) {
  const { action, actor, origin, createdAt } = log;
  const { t, has } = texts;
  const named = log.entityId === previousKeyId ? 'keys.made_by_rotation' : `keys.action_${action}`;
  return {
    ...{ createdAt, ip: origin.ip },
    action: has(named) ? t(named) : action,
    actor: actor.name ?? t(`keys.actor_${actor.type}`),
    changes: changesOf(log, texts),
  };
}
