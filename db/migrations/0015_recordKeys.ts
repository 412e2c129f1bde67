import { addColumn, type Step } from './steps.ts';

const TABLES = ['records', 'builder_drafts', 'builder_draft_versions', 'support_tickets', 'checkouts'];

/** The key with which a thing was made, beside who made it; null for what people made, and for all that is older. */
export const recordKeys: Step[] = TABLES.map((name) => addColumn(name, 'created_with', ({ id }) => id('created_with')));
