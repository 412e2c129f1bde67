import type { recordAuditEventsOncePerWindow } from '../actions/auditRecord.ts';
import { changedFields, type AuditEvent } from '../domain/auditEvent.ts';
import type { JournalEntry } from './usageEvent.ts';

/** How long the first use of a key from an address speaks for those after it in the audit log. */
const WINDOW_MS = 3_600_000;

/** The first use of a key from an address in an hour; the usage log has them all. */
export interface AuditWindow {
  place: string;
  hour: number;
  use: JournalEntry;
}

/** The windows of these uses, each by its first one. */
export function auditWindowsOf(uses: readonly JournalEntry[]): AuditWindow[] {
  const last = new Map<string, number>();
  const windows: AuditWindow[] = [];
  for (const use of uses) {
    const { keyId, ip, createdAt } = use;
    const place = `${keyId}:${ip ?? ''}`;
    const hour = Math.floor(createdAt / WINDOW_MS);
    if (last.get(place) === hour) continue;
    last.set(place, hour);
    windows.push({ place, hour, use });
  }
  return windows;
}

/** What the audit log has of a window. */
export function auditRowOfWindow({
  place,
  hour,
  use,
}: AuditWindow): Parameters<typeof recordAuditEventsOncePerWindow>[1][number] {
  const { keyId, tenantId, method, endpoint, statusCode, ip, userAgent, createdAt, keyName, requestId } = use;
  const act = {
    tenantId,
    now: createdAt,
    actor: { type: 'api_key' as const, id: keyId, name: keyName },
    origin: { ip, userAgent, requestId },
  };
  const event: AuditEvent = {
    action: 'API_KEY_USED',
    entityId: keyId,
    ...changedFields(null, { method, endpoint, statusCode }),
  };
  return { window: `used:${place}:${hour}`, act, event };
}
