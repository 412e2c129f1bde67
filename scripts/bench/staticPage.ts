import { readFileSync } from 'node:fs';
import Koa from 'koa';
import type { State } from '../../app/context.ts';
import { compressPage } from '../../app/http/compressPage.ts';

// A page that is there already: nothing to look up, nothing to render, and compressed as all pages are.
const page = readFileSync(String(process.env['PAGE_FILE']), 'utf8');
new Koa<State>()
  .use(compressPage)
  .use((ctx) => {
    ctx.type = 'html';
    ctx.body = page;
  })
  .listen(Number(process.env['PORT']), '127.0.0.1');
