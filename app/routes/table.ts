import type Router from '@koa/router';
import type { State } from '../context.ts';
import { accessOfLayer, type Access } from './access.ts';

/** One route as its definition states it; documents, tables and proxies read these and nothing else. */
export interface Route {
  method: string;
  path: string;
  access: Access;
}

/** Every route of these routers; throws on one that does not state who may use it, so that it never serves. */
export function routesOf(routers: readonly Router<State>[]): Route[] {
  return routers.flatMap((router) =>
    router.stack.flatMap((layer) =>
      layer.methods
        .filter((method) => method !== 'HEAD')
        .map((method) => {
          const access = accessOfLayer(layer);
          if (!access) throw new Error(`${method} ${String(layer.path)} does not state who may use it`);
          return { method, path: String(layer.path), access };
        }),
    ),
  );
}

/** Which routes each scope opens, as `GET /api/v1/projects`. */
export function routesByScope(routes: readonly Route[]): Map<string, string[]> {
  const opened = new Map<string, string[]>();
  for (const { method, path, access } of routes) {
    const scope = access.kind === 'scope' ? access.scope : access.kind === 'permission' ? access.keyScope : undefined;
    if (scope === undefined) continue;
    opened.set(scope, [...(opened.get(scope) ?? []), `${method} ${path}`]);
  }
  return opened;
}
