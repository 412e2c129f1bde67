import Router from '@koa/router';
import { expect } from 'chai';
import type { State } from '../../app/context.ts';
import { mount } from '../../app/http/mount.ts';
import { ROUTER } from '../../app/http/router.ts';

function routerOf(...paths: string[]): Router<State> {
  const router = new Router<State>(ROUTER);
  for (const path of paths) router.get(path, (ctx) => void (ctx.body = path));
  return router;
}

describe('mounting routers', () => {
  it('refuses two routers with the same first segment, since the second would hide the first', () => {
    expect(() => mount('/api', [], [routerOf('/keys'), routerOf('/keys/:id')])).to.throw(
      'two routers have routes below /api/keys',
    );
  });

  it('takes several routes below one first segment from one router', () => {
    expect(() => mount('/api', [], [routerOf('/keys', '/keys/:id'), routerOf('/users')])).not.to.throw();
  });

  it('refuses a route that begins with a parameter', () => {
    expect(() => mount('/api', [], [routerOf('/:id')])).to.throw('does not begin with a fixed segment');
  });
});
