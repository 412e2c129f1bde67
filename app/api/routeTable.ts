import Router from '@koa/router';
import type { State } from '../context.ts';
import { isApiPath } from '../http/apiPaths.ts';
import { presentRoutes, RouteListAnswer } from './answers/route.ts';
import { scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { ROUTER } from '../http/router.ts';
import type { Route } from '../http/table.ts';

/** The endpoints of this process and what each asks for, pages left out. */
export function routeTableRoutes(routes: () => readonly Route[]): Router<State> {
  return new Router<State>(ROUTER).get(
    '/admin/routes',
    scope('read'),
    answers(200, RouteListAnswer, 'Lists every endpoint with the scope or permission it asks for.'),
    async (ctx) => {
      ctx.body = presentRoutes(routes().filter(({ path }) => isApiPath(path)));
    },
  );
}
