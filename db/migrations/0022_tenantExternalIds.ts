import { addIndex, type Step } from './steps.ts';

/** Tenants are found by the id that they have in the product's own system. */
export const tenantExternalIds: Step[] = [addIndex('tenants', ['external_id', 'created_at', 'id'])];
