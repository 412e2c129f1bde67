import type Router from '@koa/router';
import type { Middleware, State } from '../context.ts';
import { accessOfLayer, scopesOf, type Access } from './access.ts';
import { compose } from './compose.ts';

/** A route of a router with its guards, made ready once for all of its requests. */
export interface ServedRoute {
  path: string;
  methods: readonly string[];
  access: Access | undefined;
  /** The scopes that it names, any of which opens it to a key. */
  scopes: readonly string[];
  run: Middleware;
}

declare module '../context.ts' {
  interface State {
    /** The route of this request, once it is found. */
    route?: ServedRoute;
    /** Every route of this path so far, whatever its method. */
    routesOfPath?: readonly ServedRoute[];
    /** The parameters in the path. */
    pathParams?: Readonly<Record<string, string>>;
  }
}

type Layer = Router<State>['stack'][number];

/** The routes of one router, found by a path: one without parameters by one look into a map. */
export class ServedRoutes {
  readonly #ofFixedPaths = new Map<string, readonly ServedRoute[]>();
  readonly #all: readonly { layer: Layer; route: ServedRoute }[];

  constructor(layers: readonly Layer[], guards: readonly Middleware[]) {
    this.#all = layers.map((layer) => ({ layer, route: servedRoute(layer, guards) }));
    for (const layer of layers) {
      if (isFixed(layer)) this.#ofFixedPaths.set(String(layer.path), this.#matching(String(layer.path)));
    }
  }

  /** The routes of this path, whatever their method, as they were defined. */
  of(path: string): readonly ServedRoute[] {
    return this.#ofFixedPaths.get(path) ?? this.#matching(path);
  }

  #matching(path: string): ServedRoute[] {
    return this.#all.filter(({ layer }) => layer.match(path)).map(({ route }) => route);
  }
}

function isFixed(layer: Layer): boolean {
  return layer.paramNames.length === 0 && layer.match(String(layer.path));
}

function servedRoute(layer: Layer, guards: readonly Middleware[]): ServedRoute {
  const access = accessOfLayer(layer);
  const own = (layer.stack as Middleware[]).filter((middleware) => !('onlyStates' in middleware));
  const readParams = layer.paramNames.length === 0 ? [] : [paramsOf(layer)];
  return {
    path: String(layer.path),
    methods: layer.methods,
    access,
    scopes: access ? scopesOf(access) : [],
    run: compose([...guards, ...readParams, ...own]),
  };
}

function paramsOf(layer: Layer): Middleware {
  return (ctx, next) => {
    const { path } = ctx;
    ctx.state.pathParams = layer.params(path, layer.captures(path));
    return next();
  };
}
