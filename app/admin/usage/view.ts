import type { Locale } from '../../domain/locale.ts';
import { maskKey } from '../../domain/token.ts';
import type { TenantUsage } from '../../usage/tenantUsage.ts';
import { usageChart } from '../shell/usageChart.ts';

/** The tenant's usage; deleted keys have no name. */
export function presentUsagePage(usage: TenantUsage, locale: Locale) {
  const { window, totals, buckets, keys, endpoints, denials, known } = usage;
  const named = (id: string) => {
    const key = known.get(id);
    return key ? { id, name: key.name, masked: maskKey(key.keyPrefix, key.lastFour) } : { id, name: '', masked: '' };
  };
  return {
    window,
    totals: {
      requests: totals.requests,
      ok: totals.ok,
      denied: totals.denied,
      averageMs: totals.averageMs === null ? null : Math.round(totals.averageMs * 10) / 10,
      deniedShare: totals.requests === 0 ? 0 : Math.round((totals.denied / totals.requests) * 1000) / 10,
    },
    chart: usageChart(buckets, window, locale),
    keys: keys.map(({ keyId, ok, denied }) => ({ ...named(keyId), ok, denied })),
    endpoints: endpoints.map(({ method, endpoint, ok, denied }) => ({ method, endpoint, ok, denied })),
    denials: denials.map(({ keyId, method, endpoint, scope, denied }) => ({
      key: named(keyId),
      method,
      endpoint,
      scope,
      denied,
    })),
  };
}
