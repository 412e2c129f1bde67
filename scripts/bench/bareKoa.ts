import Router from '@koa/router';
import Koa from 'koa';
import { ANSWER, PATH } from './answer.ts';

// The measure of everything else: Koa and its router, and nothing to decide.
const router = new Router().get(PATH, (ctx) => {
  ctx.body = ANSWER;
});
new Koa().use(router.routes()).listen(Number(process.env['PORT']), '127.0.0.1');
