import { z } from 'zod';
import type { AuditLog } from '../../../db/tables/auditLogs.ts';
import { iso } from '../../domain/times.ts';

const Fields = z.record(z.string(), z.unknown()).nullable();

/** One row of the audit log. */
export const AuditEventAnswer = z
  .strictObject({
    id: z.string(),
    action: z.string(),
    entity: z.string(),
    entityId: z.string().nullable(),
    actorType: z.enum(['user', 'api_key', 'system', 'anonymous']),
    actorId: z.string().nullable(),
    actorName: z.string().nullable(),
    ipAddress: z.string().nullable(),
    userAgent: z.string().nullable(),
    requestId: z.string().nullable(),
    before: Fields,
    after: Fields,
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'AuditEvent' });

export const AuditLogAnswer = z.strictObject({
  data: z.array(AuditEventAnswer),
  nextCursor: z.string().nullable(),
});

export function presentAuditEvent(log: AuditLog): z.output<typeof AuditEventAnswer> {
  return {
    id: log.id,
    action: log.action,
    entity: log.entity,
    entityId: log.entityId,
    actorType: log.actor.type,
    actorId: log.actor.id,
    actorName: log.actor.name,
    ipAddress: log.origin.ip,
    userAgent: log.origin.userAgent,
    requestId: log.origin.requestId,
    before: log.before,
    after: log.after,
    createdAt: iso(log.createdAt),
  };
}
