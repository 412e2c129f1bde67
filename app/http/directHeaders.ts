import type Koa from 'koa';
import type { State } from '../context.ts';

type Value = string | number | string[];

/**
 * Hands headers to Node as they are given. Koa makes lists of all names and values first, twice for each answer of JSON, so
 * that one value in a list stands for itself, which nobody here writes.
 */
export function setHeadersDirectly(app: Koa<State>): void {
  app.response.set = function set(this: Koa.Response, field: string | Record<string, Value>, value: Value = '') {
    if (this.headerSent) return;
    if (typeof field === 'string') this.res.setHeader(field, value);
    else for (const name in field) this.res.setHeader(name, field[name] ?? '');
  };
}
