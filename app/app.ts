import Router from '@koa/router';
import Koa from 'koa';
import type { State } from './context.ts';
import { clientAddress } from './middleware/clientAddress.ts';
import { handleErrors } from './middleware/handleErrors.ts';
import { requestId } from './middleware/requestId.ts';
import { requestLog } from './middleware/requestLog.ts';
import { securityHeaders } from './middleware/securityHeaders.ts';
import { unknownRoute } from './middleware/unknownRoute.ts';
import { healthRoutes } from './routes/api/health.ts';
import { ROUTER } from './routes/router.ts';
import type { Services } from './services.ts';

/** The whole way of a request, in order. */
export function createApp(services: Services): Koa<State> {
  const { config, db, log, readiness } = services;
  const app = new Koa<State>();
  app.use(requestId(config.trustedHops));
  app.use(securityHeaders(config.publicUrl));
  app.use(handleErrors(log));
  app.use(requestLog(log));
  app.use(clientAddress(config.trustedHops));

  const router = new Router<State>(ROUTER);
  router.use('/api', healthRoutes(db, readiness).routes());
  app.use(router.routes());

  app.use(unknownRoute);
  return app;
}
