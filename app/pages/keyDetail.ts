import type { KeyUsage } from '../../db/tables/apiKeyUsage.ts';
import type { AuditLog } from '../../db/tables/auditLogs.ts';
import { covers } from '../domain/scope.ts';
import type { Bucket as UsageBucket, UsageWindow } from '../domain/usageWindow.ts';
import { changesOf } from './auditChanges.ts';
import type { Bucket } from './chart.ts';
import type { Texts } from './texts.ts';

/** A bar of a key's chart, labelled by its day or hour in UTC. */
export function bucketOf({ from, ok, denied }: UsageBucket, window: UsageWindow, { locale }: Texts): Bucket {
  const label = new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, {
    timeZone: 'UTC',
    day: 'numeric',
    month: 'short',
    ...(window !== '30d' && { hour: '2-digit', minute: '2-digit' }),
  }).format(from);
  return { label, ok, denied };
}

/** A request as the log of a key shows it. */
export function requestRow(use: KeyUsage, scopes: readonly string[]) {
  const { method, endpoint, statusCode, responseMs, ip, userAgent, scope, createdAt } = use;
  const lacks = statusCode === 403 && scope !== null && !scopes.some((granted) => covers(granted, scope));
  return {
    ...{ method, endpoint, statusCode, ip, userAgent, createdAt },
    ms: Math.round(responseMs),
    denied: statusCode >= 400,
    missing: lacks ? scope : null,
  };
}

/** What was done with a key, by whom, and what it changed. */
export function auditRow(log: AuditLog, texts: Texts) {
  const { action, actor, origin, createdAt } = log;
  const { t, has } = texts;
  const named = `keys.action_${action}`;
  return {
    ...{ createdAt, ip: origin.ip },
    action: has(named) ? t(named) : action,
    actor: actor.name ?? t(`keys.actor_${actor.type}`),
    changes: changesOf(log, texts),
  };
}
