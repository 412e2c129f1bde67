import Router from '@koa/router';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { createAsset, type Asset } from '../http/assets.ts';
import type { State } from '../context.ts';
import { sendAsset } from '../http/staticFiles.ts';
import { openApiDocument } from '../openapi/document.ts';
import { ROOT } from '../root.ts';
import { open } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { ROUTER } from '../http/router.ts';
import type { Route } from '../http/table.ts';

const DocumentAnswer = z
  .looseObject({ openapi: z.string(), info: z.looseObject({}), paths: z.looseObject({}) })
  .meta({ id: 'OpenApiDocument', description: 'An OpenAPI 3.1 document.' });

/** The document of the routes that this process serves; made and compressed once, when it is first asked for. */
export function openApiRoutes(routes: () => readonly Route[]): Router<State> {
  let asset: Asset | undefined;
  return new Router<State>(ROUTER).get(
    '/openapi.json',
    open(),
    answers(200, DocumentAnswer, 'Describes every endpoint of this installation, as it runs.'),
    answers(304, z.never(), 'It is still what `If-None-Match` names.'),
    async (ctx) => {
      asset ??= createAsset(Buffer.from(JSON.stringify(openApiDocument(routes(), version()))), 'application/json');
      // Clients revalidate the document each time.
      ctx.set('Cache-Control', 'no-cache');
      await sendAsset(ctx, asset);
    },
  );
}

function version(): string {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return version;
}
