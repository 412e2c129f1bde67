import Koa from 'koa';
import { assets } from './assets.ts';
import type { State } from './context.ts';
import { clientAddress } from './middleware/clientAddress.ts';
import { handleErrors, logLate } from './middleware/handleErrors.ts';
import { recordUse } from './middleware/recordUse.ts';
import { requestId } from './middleware/requestId.ts';
import { requestLog } from './middleware/requestLog.ts';
import { securityHeaders } from './middleware/securityHeaders.ts';
import { staticFiles } from './middleware/staticFiles.ts';
import { trailingSlash } from './middleware/trailingSlash.ts';
import { unknownRoute } from './middleware/unknownRoute.ts';
import { createRoutes } from './routes/routes.ts';
import type { Services } from './services.ts';

/** The whole way of a request, in order; what happens inside a protected router stands in `routes/routes.ts`. */
export function createApp(services: Services): Koa<State> {
  const { config, log, usage } = services;
  const app = new Koa<State>();
  app.use(requestId(config.trustedHops));
  app.use(securityHeaders(config.publicUrl));
  app.use(requestLog(log));
  app.use(recordUse(usage));
  app.use(handleErrors(log, config.publicUrl));
  app.use(clientAddress(config.trustedHops));
  app.use(staticFiles(assets()));
  app.use(trailingSlash);
  for (const routes of createRoutes(services).middlewares) app.use(routes);
  app.use(unknownRoute);
  app.on('error', logLate(log));
  return app;
}
