import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import express from 'express';
import Fastify from 'fastify';
import Koa from 'koa';
import { createLatchkey, type LatchkeyOptions } from '../../../docs/clients/latchkey.ts';
import type { Backend, Settings } from './backend.ts';

type Guards = Record<'projects' | 'remembered' | 'lasting' | 'lasting/files' | Away, Guard>;
type Away = 'hanging' | 'open' | 'stranger' | 'moved';
type Guard = ReturnType<ReturnType<typeof createLatchkey>>;

function guardsOf({ LATCHKEY_URL: url, LATCHKEY_KEY: key, HANGING_URL, AWAY_URL, MOVED_URL }: Settings): Guards {
  const guard = (options: LatchkeyOptions) => createLatchkey({ url, key, ...options });
  const lasting = guard({ rememberSeconds: 60 });
  return {
    projects: guard({})('projects:read'),
    remembered: guard({ rememberSeconds: 1 })('projects:read'),
    lasting: lasting('projects:read'),
    'lasting/files': lasting('files:read'),
    hanging: guard({ url: HANGING_URL, timeoutMs: 300 })('projects:read'),
    open: guard({ url: AWAY_URL, whenAway: 'allow' })('projects:read'),
    stranger: guard({ key: 'fsk_live_nobody', whenAway: 'allow' })('projects:read'),
    moved: guard({ url: MOVED_URL, whenAway: 'allow' })('projects:read'),
  };
}

const told = ({ apiKey }: IncomingMessage) => ({
  keyId: apiKey?.keyId ?? null,
  tenantId: apiKey?.tenantId ?? null,
  scopes: apiKey?.scopes ?? null,
  externalId: apiKey?.externalId ?? null,
});

export async function startKoa(settings: Settings): Promise<Backend> {
  const router = new Router();
  for (const [path, guard] of Object.entries(guardsOf(settings))) {
    router.get(`/${path}`, guard.koa, (ctx) => {
      ctx.body = told(ctx.req);
    });
  }
  return listening(new Koa().use(router.routes()).listen(0, '127.0.0.1'));
}

export async function startExpress(settings: Settings): Promise<Backend> {
  const app = express();
  for (const [path, guard] of Object.entries(guardsOf(settings))) {
    app.get(`/${path}`, guard.express, (req, res) => {
      res.json(told(req));
    });
  }
  return listening(app.listen(0, '127.0.0.1'));
}

export async function startFastify(settings: Settings): Promise<Backend> {
  const app = Fastify();
  for (const [path, guard] of Object.entries(guardsOf(settings))) {
    app.get(`/${path}`, { onRequest: guard.fastify }, async ({ raw }) => told(raw));
  }
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), said: () => '', stop: async () => app.close() };
}

async function listening(server: Server): Promise<Backend> {
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    said: () => '',
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
