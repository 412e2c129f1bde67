import Router from '@koa/router';
import type { Db } from '../../../db/connect.ts';
import { migrationState } from '../../../db/migrate.ts';
import type { State } from '../../context.ts';
import type { Services } from '../../services.ts';
import { open } from '../access.ts';
import { ROUTER } from '../router.ts';

interface Health {
  status: 'ok' | 'unavailable' | 'stopping';
  database: 'ok' | 'unreachable';
  migrations: 'current' | 'pending' | 'unknown';
}

/** Liveness says the process runs; readiness says it can answer, and why not. */
export function healthRoutes({ db, readiness }: Services): Router<State> {
  const check = shared(() => checkDatabase(db));
  return new Router<State>(ROUTER)
    .get('/health/live', open(), async (ctx) => {
      ctx.body = { status: 'ok' };
    })
    .get('/health', open(), async (ctx) => {
      const database = await check();
      const health: Health = { ...database, status: readiness.stopping ? 'stopping' : database.status };
      if (health.status !== 'ok') {
        ctx.status = 503;
        ctx.set('Retry-After', '1');
      }
      ctx.body = health;
    });
}

async function checkDatabase(db: Db): Promise<Health> {
  try {
    const migrations = await migrationState(db);
    return { status: migrations === 'current' ? 'ok' : 'unavailable', database: 'ok', migrations };
  } catch {
    return { status: 'unavailable', database: 'unreachable', migrations: 'unknown' };
  }
}

/** However many ask at once, the question is put once. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let asking: Promise<T> | undefined;
  return () =>
    (asking ??= ask().finally(() => {
      asking = undefined;
    }));
}
