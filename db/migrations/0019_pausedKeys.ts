import { addColumn, type Step } from './steps.ts';

/** When, by whom and why a key was paused. */
export const pausedKeys: Step[] = [
  addColumn('api_keys', 'paused_at', ({ time }) => time('paused_at')),
  addColumn('api_keys', 'paused_by', ({ id }) => id('paused_by')),
  addColumn('api_keys', 'pause_reason', ({ table }) => table.string('pause_reason', 255)),
];
