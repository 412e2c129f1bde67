import type { KeyUsage } from '../../db/tables/apiKeyUsage.ts';
import type { AuditLog } from '../../db/tables/auditLogs.ts';
import { covers } from '../domain/scope.ts';
import type { Texts } from './texts.ts';

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
export function auditRow({ id, action, actor, origin, before, after, createdAt }: AuditLog, { t, has }: Texts) {
  const named = `keys.action_${action}`;
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return {
    ...{ id, createdAt, ip: origin.ip },
    action: has(named) ? t(named) : action,
    actor: actor.name ?? t(`keys.actor_${actor.type}`),
    changes: fields
      .map((field) => ({
        field: has(`keys.field_${field}`) ? t(`keys.field_${field}`) : field,
        before: valueText(before?.[field]),
        after: valueText(after?.[field]),
      }))
      .filter((change) => change.before !== change.after),
  };
}

function valueText(value: unknown): string {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return '';
  if (Array.isArray(value)) return value.map(String).join(', ');
  if (typeof value === 'string') return value;
  const text = JSON.stringify(value);
  return text === '{}' ? '' : text;
}
