import { z } from 'zod';
import { problem } from '../domain/problem.ts';
import { AUDITED, SAMPLE_ENTITIES, type AuditAction, type AuditEntity } from '../domain/auditEvent.ts';
import { Instant } from '../domain/instant.ts';

export const AUDIT_ACTIONS = Object.keys(AUDITED) as AuditAction[];
export const AUDIT_ENTITIES: AuditEntity[] = [...new Set(Object.values(AUDITED))];

/** Most are UUIDs, but an app is known by its name. */
const Subject = z.string().regex(/^[\w.:-]{1,36}$/, problem('must_be_id'));

/** Said of kinds that an installation without the sample product logs no more. */
const KEPT = 'where it is off nothing new is logged of them, but rows from before can still be asked for.';

/** The filter of the audit log. */
export const AuditNarrowing = z.strictObject({
  action: z
    .enum(AUDIT_ACTIONS)
    .describe(`What was done. Some actions are about things of the sample product: ${KEPT}`)
    .optional(),
  entity: z
    .enum(AUDIT_ENTITIES)
    .describe(`What it was done to. \`${[...SAMPLE_ENTITIES].join('\`, \`')}\` are of the sample product: ${KEPT}`)
    .optional(),
  entityId: Subject.optional(),
  actorId: Subject.optional(),
  from: Instant.optional(),
  to: Instant.optional(),
});
