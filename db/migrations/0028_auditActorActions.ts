import { addIndex, type Step } from './steps.ts';

/** What somebody did without the uses of keys, which are most of what a key does, and one action of somebody. */
export const auditActorActions: Step[] = [
  addIndex('audit_logs', ['tenant_id', 'actor_id', 'action', 'created_at', 'id']),
];
