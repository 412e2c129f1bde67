import type Router from '@koa/router';
import { METHODS } from 'node:http';
import type { State } from '../context.ts';
import { accessOfLayer, scopesOf, type Access } from './access.ts';
import type { Answer, AnswerMarker } from './answers.ts';
import type { VersionMarker } from './etag.ts';
import type { ForceMarker } from './force.ts';
import type { MakesMarker } from './idempotency.ts';
import type { Input, InputHandler } from './input.ts';

/** One route as its definition states it; documents, tables and proxies read these and nothing else. */
export interface Route {
  method: string;
  path: string;
  access: Access;
  /** The input beside the path; absent if there is none. */
  input?: Input;
  /** The successful answer first, then other answers that are no problem. */
  answers: readonly Answer[];
  /** Whether its good answers carry `ETag`. */
  etag: boolean;
  /** Whether it takes `If-Match`. */
  ifMatch: boolean;
  /** Whether it makes something, once for each `Idempotency-Key`. */
  makes: boolean;
  /** Whether it takes `?force=true`. */
  force: boolean;
}

/** Every route of these routers; throws on one that does not state who may use it, so that it never serves. */
export function routesOf(routers: readonly Router<State>[]): Route[] {
  return routers.flatMap((router) =>
    router.stack.flatMap((layer) =>
      shownMethods(layer.methods).map((method) => {
        const access = accessOfLayer(layer);
        if (!access) throw new Error(`${method} ${String(layer.path)} does not state who may use it`);
        const input = inputOf(layer.stack);
        return {
          method,
          path: String(layer.path),
          access,
          answers: answersOf(layer.stack),
          etag: isVersioned(layer.stack, 'etag'),
          ifMatch: isVersioned(layer.stack, 'if_match'),
          force: layer.stack.some(isForceMarker),
          makes: layer.stack.some(isMakesMarker),
          ...(input && { input }),
        };
      }),
    ),
  );
}

/** HEAD goes without saying; a route that takes any method is listed once, as what most proxies ask by. */
function shownMethods(methods: readonly string[]): string[] {
  if (METHODS.every((method) => methods.includes(method))) return ['GET'];
  return methods.filter((method) => method !== 'HEAD');
}

function inputOf(stack: readonly unknown[]): Input | undefined {
  const takes = stack.find((middleware) => typeof middleware === 'function' && 'input' in middleware);
  return (takes as InputHandler | undefined)?.input;
}

function answersOf(stack: readonly unknown[]): Answer[] {
  const stating = stack.filter((middleware) => typeof middleware === 'function' && 'answer' in middleware);
  return (stating as AnswerMarker[]).map(({ answer }) => answer);
}

function isVersioned(stack: readonly unknown[], by: VersionMarker['versioned']): boolean {
  return stack.some(
    (middleware) => typeof middleware === 'function' && 'versioned' in middleware && middleware.versioned === by,
  );
}

function isMakesMarker(middleware: unknown): middleware is MakesMarker {
  return typeof middleware === 'function' && 'makes' in middleware;
}

function isForceMarker(middleware: unknown): middleware is ForceMarker {
  return typeof middleware === 'function' && 'force' in middleware;
}

/** Which routes each scope opens, as `GET /api/v1/projects`. */
export function routesByScope(routes: readonly Route[]): Map<string, string[]> {
  const opened = new Map<string, string[]>();
  for (const { method, path, access } of routes) {
    for (const scope of scopesOf(access)) opened.set(scope, [...(opened.get(scope) ?? []), `${method} ${path}`]);
  }
  return opened;
}
