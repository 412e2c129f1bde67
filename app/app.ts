import Koa from 'koa';
import { errorPage } from './admin/shell/errorPage.ts';
import { assets } from './http/assets.ts';
import type { State } from './context.ts';
import { clientAddress } from './http/clientAddress.ts';
import { compose } from './http/compose.ts';
import { cors } from './http/cors.ts';
import { sendTextsDirectly } from './http/directAnswers.ts';
import { setHeadersDirectly } from './http/directHeaders.ts';
import { handleErrors, logLateErrors } from './http/handleErrors.ts';
import { oneHost } from './http/oneHost.ts';
import { recordUse } from './usage/recordUse.ts';
import { requestId } from './http/requestId.ts';
import { requestLog } from './http/requestLog.ts';
import { securityHeaders } from './http/securityHeaders.ts';
import { staticFiles } from './http/staticFiles.ts';
import { trailingSlash } from './http/trailingSlash.ts';
import { unknownRoute } from './http/unknownRoute.ts';
import { createRoutes } from './routes.ts';
import type { Services } from './services.ts';

/** The order of all middlewares; what happens inside a protected router is in `routes.ts`. */
export function createApp(services: Services): Koa<State> {
  const { config, log, usage } = services;
  const app = new Koa<State>();
  setHeadersDirectly(app);
  sendTextsDirectly(app);
  app.use(
    compose([
      requestId(config.trustedHops),
      securityHeaders(config.publicUrl),
      requestLog(log),
      recordUse(usage),
      cors(config.corsOrigins),
      handleErrors(log, config.publicUrl, errorPage),
      clientAddress(config.trustedHops),
      oneHost,
      staticFiles(assets()),
      trailingSlash,
      ...createRoutes(services).middlewares,
      unknownRoute,
    ]),
  );
  app.on('error', logLateErrors(log));
  return app;
}
