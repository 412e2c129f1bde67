import { z } from 'zod';
import { problem } from '../domain/problem.ts';
import { AUDITED, type AuditAction, type AuditEntity } from '../domain/auditEvent.ts';
import { Instant } from '../domain/instant.ts';

export const AUDIT_ACTIONS = Object.keys(AUDITED) as AuditAction[];
export const AUDIT_ENTITIES: AuditEntity[] = [...new Set(Object.values(AUDITED))];

/** Most are UUIDs, but an app is known by its name. */
const Subject = z.string().regex(/^[\w.:-]{1,36}$/, problem('must_be_id'));

/** The filter of the audit log. */
export const AuditNarrowing = z.strictObject({
  action: z.enum(AUDIT_ACTIONS).optional(),
  entity: z.enum(AUDIT_ENTITIES).optional(),
  entityId: Subject.optional(),
  actorId: Subject.optional(),
  from: Instant.optional(),
  to: Instant.optional(),
});
