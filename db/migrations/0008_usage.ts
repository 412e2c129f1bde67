import { dropIndex, type Step } from './steps.ts';

/** The usage log is asked by key and pruned by time; nobody asks it by tenant, and every request paid for that. */
export const usage: Step[] = [dropIndex('api_key_usage', ['tenant_id', 'created_at', 'id'])];
