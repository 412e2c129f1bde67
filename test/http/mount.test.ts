import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import { expect } from 'chai';
import Koa from 'koa';
import type { Context, Middleware, State } from '../../app/context.ts';
import { afterwards, compose, recovering } from '../../app/http/compose.ts';
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

  it('serves the route that was defined first where a fixed path and a parameter both fit', async () => {
    const parameterFirst = mount('/api', [], [routerOf('/keys', '/keys/:id', '/keys/used')]);
    const fixedFirst = mount('/api', [], [routerOf('/keys/used', '/keys/:id')]);
    expect(await served(parameterFirst.middleware, '/api/keys/used')).to.include({ body: '/keys/:id' });
    expect(await served(fixedFirst.middleware, '/api/keys/used')).to.include({ body: '/keys/used' });
    const other = await served(fixedFirst.middleware, '/api/keys/%C3%A9');
    expect(other).to.include({ body: '/keys/:id' });
    expect(other.state.pathParams?.['id']).to.equal('é');
  });

  it('takes a path as it is written: another case, a slash behind it and another method are no route', async () => {
    const { middleware } = mount('/api', [], [routerOf('/keys/used')]);
    for (const path of ['/api/keys/Used', '/api/keys/used/', '/api/keys', '/API/keys/used', '/api']) {
      expect(await served(middleware, path), path).to.deep.include({ body: 'passed on', state: {} });
    }
    const { body, state } = await served(middleware, '/api/keys/used', 'POST');
    expect(body).to.equal('passed on');
    expect(state.routesOfPath?.flatMap(({ methods }) => methods)).to.have.members(['GET', 'HEAD']);
  });

  it('has every guard before the route, and none where the method is not known', async () => {
    const passed: string[] = [];
    const guard = (name: string): Middleware => {
      return (_ctx, next) => {
        passed.push(name);
        return next();
      };
    };
    const { middleware } = mount('/api', [guard('first'), guard('second')], [routerOf('/keys')]);
    await served(middleware, '/api/keys', 'POST');
    expect(passed).to.deep.equal([]);
    expect(await served(middleware, '/api/keys')).to.include({ body: '/keys' });
    expect(passed).to.deep.equal(['first', 'second']);
  });
});

describe('a chain of middlewares', () => {
  it('ends with the first that does not pass on, and goes back through those before it', async () => {
    const order: string[] = [];
    const around = (name: string): Middleware => {
      return async (_ctx, next) => {
        order.push(name);
        await next();
        order.push(`after ${name}`);
      };
    };
    const ends: Middleware = () => void order.push('end');
    await served(compose([around('a'), compose([around('b'), ends]), around('never')]), '/');
    expect(order).to.deep.equal(['a', 'b', 'end', 'after b', 'after a']);
  });

  it('waits for nothing where none of them does: what one throws at once is thrown by the whole', () => {
    const pass: Middleware = (_ctx, next) => next();
    const fails: Middleware = () => {
      throw new Error('at once');
    };
    const ctx = { state: {} } as unknown as Context;
    const run = (...chain: Middleware[]) => compose(chain)(ctx, async () => undefined) as Promise<unknown>;
    expect(() => run(pass, compose([pass, pass]), fails)).to.throw('at once');
    expect(recovering(() => run(pass, fails), String)).to.equal('Error: at once');
    expect(
      afterwards(
        run(pass, () => undefined),
        () => 'after',
      ),
    ).to.equal('after');
  });

  it('goes on after what is waited for, and recovers from what that throws later, a promise or a query', async () => {
    const later = Promise.resolve('found');
    // A query of Knex is no instance of Promise, and is sent when its `then` is called.
    const asQuery = <T>(promise: Promise<T>) => ({ then: promise.then.bind(promise) }) as Promise<T>;
    for (const waited of [later, asQuery(later)]) {
      expect(await afterwards(waited, (found) => `${found ?? 'nothing'} later`)).to.equal('found later');
    }
    const fails = async () => Promise.reject(new Error('late'));
    for (const next of [fails, () => asQuery(fails())]) expect(await recovering(next, String)).to.equal('Error: late');
  });

  it('refuses a middleware that passes on twice, so that no guard behind it is left out', async () => {
    const passed: string[] = [];
    const note = (name: string) => () => void passed.push(name);
    const guard: Middleware = async () => {
      passed.push('guard');
      await new Promise(setImmediate);
      throw new Error('not let in');
    };
    const atOnce: Middleware = async (_ctx, next) => Promise.all([next().catch(() => undefined), next()]);
    const later: Middleware = async (_ctx, next) => {
      await next().catch(() => undefined);
      await next();
    };
    const ctx = { state: {} } as unknown as Context;
    for (const twice of [atOnce, later]) {
      const run = compose([twice, guard, note('route')])(ctx, async () => note('passed on')()) as Promise<unknown>;
      expect(await run.catch(String)).to.equal('Error: a middleware has passed on twice');
    }
    expect(passed).to.deep.equal(['guard', 'guard']);
  });

  it('without middlewares passes on', async () => {
    expect(await served(compose([]), '/')).to.include({ body: 'passed on' });
  });
});

/** What a middleware makes of a request, without a server. */
async function served(middleware: Middleware, path: string, method = 'GET'): Promise<Context> {
  const ctx = { path, method, state: {} } as unknown as Context;
  await middleware(ctx, async () => void (ctx.body = 'passed on'));
  return ctx;
}
