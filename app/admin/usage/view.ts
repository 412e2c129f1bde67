import { REQUESTS_KEPT_MS } from '../../../db/tables/usage/apiKeyUsage.ts';
import type { Outcomes } from '../../../db/tables/usage/apiKeyUsageHours.ts';
import type { StatsPeriod } from '../../domain/statsPeriod.ts';
import type { Span } from '../../domain/times.ts';
import { maskKey } from '../../domain/token.ts';
import { addressOf } from '../../http/redirect.ts';
import type { Texts } from '../../locales/texts.ts';
import type { TenantUsage } from '../../usage/tenantUsage.ts';
import { keyPagePath } from '../keys/keyRequests.ts';
import { chartTitle, outcomesOf, spanText, usageChart } from '../shell/usageChart.ts';
import { dayText } from './period.ts';

const DAY_MS = 86_400_000;

/** The tenant's usage on the page at `path`, whose keys stand below `keysAt`; deleted keys have no name. */
export function presentUsagePage(
  usage: TenantUsage,
  window: StatsPeriod | undefined,
  texts: Texts,
  { path, keys: keysAt }: { path: string; keys: string },
) {
  const { totals, times, buckets, keys, endpoints, denials, known } = usage;
  const named = (id: string) => {
    const key = known.get(id);
    const fields = key ? { name: key.name, masked: maskKey(key.keyPrefix, key.lastFour) } : { name: '', masked: '' };
    return { id, ...fields, href: keyPagePath(`${keysAt}/${id}`, { window }) };
  };
  const share = (part: number) => (totals.requests === 0 ? 0 : Math.round((part / totals.requests) * 1000) / 10);
  return {
    span: spanText(usage, texts),
    totals: {
      requests: totals.requests,
      ...countsOf(totals),
      averageMs: totals.averageMs,
      deniedShare: share(totals.denied),
      errorShare: share(totals.errors),
    },
    times,
    keptDays: REQUESTS_KEPT_MS / DAY_MS,
    chart: usageChart(buckets, texts, { hrefOf: (span) => dayPath(path, span) }),
    chartTitle: chartTitle(buckets, texts.t),
    keys: keys.map(({ keyId, ...counted }) => ({
      ...named(keyId),
      ...countsOf(counted),
      deniedHref: keyPagePath(`${keysAt}/${keyId}`, { window, status: 'denied' }, '#requests'),
      errorHref: keyPagePath(`${keysAt}/${keyId}`, { window, status: 'error' }, '#requests'),
    })),
    endpoints: endpoints.map(({ method, endpoint, ...counted }) => ({ method, endpoint, ...countsOf(counted) })),
    denials: denials.map(({ keyId, method, endpoint, scope, denied }) => {
      const route = `${method} ${endpoint}`;
      const href = keyPagePath(`${keysAt}/${keyId}`, { window, status: 'denied', route }, '#requests');
      return { key: named(keyId), method, endpoint, scope, denied, href };
    }),
  };
}

/** Where a bar leads: to the days that it stands for; an hour is not looked at more closely. */
function dayPath(path: string, { from, to }: Span): string | undefined {
  if (to - from <= DAY_MS / 24) return undefined;
  return addressOf(path, { from: dayText(from), to: dayText(to - 1) });
}

function countsOf(counted: Outcomes) {
  const { ok, denied, error } = outcomesOf(counted);
  return { ok, denied, errors: error };
}
