import { addColumn, type Step } from './steps.ts';

const COMMENT = 'of those that were not denied; null where the release before counted';

/** How many requests of an hour ended in an error; hours that were counted without it stay unknown. */
export const usageErrors: Step[] = [
  addColumn('api_key_usage_hours', 'client_errors', ({ table }) => table.integer('client_errors').comment(COMMENT)),
  addColumn('api_key_usage_hours', 'server_errors', ({ table }) => table.integer('server_errors').comment(COMMENT)),
];
