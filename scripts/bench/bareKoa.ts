import Router from '@koa/router';
import Koa from 'koa';
import getRawBody from 'raw-body';
import { ANSWER, PATH, VERDICT } from './answer.ts';

// The measure of everything else: Koa and its router, a JSON body where there is one, and nothing to decide.
const router = new Router()
  .get(PATH, (ctx) => {
    ctx.body = ANSWER;
  })
  .post('/api/v1/keys/verify', async (ctx) => {
    const { key } = JSON.parse(await getRawBody(ctx.req, { limit: '64kb', encoding: 'utf8' })) as { key: string };
    ctx.body = { ...VERDICT, valid: key.length > 0 };
  });
new Koa().use(router.routes()).listen(Number(process.env['PORT']), '127.0.0.1');
