import type { KeyUsage } from '../../../db/tables/usage/apiKeyUsage.ts';
import type { AuditLog } from '../../../db/tables/auditLogs.ts';
import { opens } from '../../domain/scopeCatalogue.ts';
import { changesOf } from '../audit/auditChanges.ts';
import type { Texts } from '../../locales/texts.ts';

/** A request as the log of a key shows it. */
export function requestRow(use: KeyUsage, scopes: readonly string[]) {
  const { method, endpoint, statusCode, responseMs, ip, userAgent, scope, createdAt } = use;
  const lacks = statusCode === 403 && scope !== null && !scopes.some((granted) => opens(granted, scope));
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
