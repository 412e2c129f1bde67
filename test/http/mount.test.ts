import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import { expect } from 'chai';
import Koa from 'koa';
import type { State } from '../../app/context.ts';
import { mount } from '../../app/http/mount.ts';
import { ROUTER } from '../../app/http/router.ts';
import { Client } from '../support/http.ts';

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

  it('takes a parameter in the prefix for any one segment of an address', async () => {
    const { middleware } = mount('/org/:slug', [], [routerOf('/keys', '/keys/:id'), routerOf('/users')]);
    const server = new Koa<State>().use(middleware).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    try {
      expect((await client.get('/org/acme/keys/7')).text).to.equal('/keys/:id');
      expect((await client.get('/org/globex/users')).text).to.equal('/users');
      for (const path of ['/org/acme', '/org/acme/', '/org/keys', '/org//keys', '/org/a/b/keys', '/other/acme/keys']) {
        expect((await client.get(path)).status, path).to.equal(404);
      }
    } finally {
      client.close();
      server.close();
    }
  });

  it('refuses a route that begins with a parameter', () => {
    expect(() => mount('/api', [], [routerOf('/:id')])).to.throw('does not begin with a fixed segment');
  });
});
