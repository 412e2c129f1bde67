import Router from '@koa/router';
import { z } from 'zod';
import type { Db } from '../../../db/connect.ts';
import { migrationState } from '../../../db/migrate.ts';
import { anyUser } from '../../../db/tables/users.ts';
import type { State } from '../../context.ts';
import type { Services } from '../../services.ts';
import { open } from '../access.ts';
import { answers } from '../answers.ts';
import { ROUTER } from '../router.ts';

const HealthAnswer = z
  .strictObject({
    status: z.enum(['ok', 'unavailable', 'stopping']),
    database: z.enum(['ok', 'unreachable']),
    migrations: z.enum(['current', 'pending', 'unknown']),
    owner: z
      .enum(['ready', 'pending'])
      .meta({ description: 'Whether the first person can sign in; absent where OWNER_EMAIL names nobody.' })
      .optional(),
  })
  .meta({ id: 'Health' });
type Health = z.output<typeof HealthAnswer>;

const LiveAnswer = z.strictObject({ status: z.literal('ok') });

/** Liveness says the process runs; readiness says it can answer, and why not. */
export function healthRoutes({ db, config, readiness }: Services): Router<State> {
  const isOwnerReady = ownerCheck(db);
  const check = shared(async () => checkDatabase(db, config.owner ? isOwnerReady : undefined));
  return new Router<State>(ROUTER)
    .get('/health/live', open(), answers(200, LiveAnswer, 'Says that the process runs.'), async (ctx) => {
      ctx.body = { status: 'ok' };
    })
    .get(
      '/health',
      open(),
      answers(200, HealthAnswer, 'Says whether requests can be answered, and why not.'),
      answers(503, HealthAnswer, 'Requests cannot be answered now.'),
      async (ctx) => {
        const database = await check();
        const health: Health = { ...database, status: readiness.stopping ? 'stopping' : database.status };
        if (health.status !== 'ok') {
          ctx.status = 503;
          ctx.set('Retry-After', '1');
        }
        ctx.body = health;
      },
    );
}

async function checkDatabase(db: Db, isOwnerReady?: () => Promise<boolean>): Promise<Health> {
  try {
    const migrations = await migrationState(db);
    if (migrations !== 'current') return { status: 'unavailable', database: 'ok', migrations };
    if (!isOwnerReady) return { status: 'ok', database: 'ok', migrations };
    const owner = (await isOwnerReady()) ? 'ready' : 'pending';
    return { status: owner === 'ready' ? 'ok' : 'unavailable', database: 'ok', migrations, owner };
  } catch {
    return { status: 'unavailable', database: 'unreachable', migrations: 'unknown' };
  }
}

/** Whether the first start has made its owner; once there is somebody, nobody asks again. */
function ownerCheck(db: Db): () => Promise<boolean> {
  let ready = false;
  return async () => (ready ||= await anyUser(db));
}

/** However many ask at once, the question is put once. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let asking: Promise<T> | undefined;
  return () =>
    (asking ??= ask().finally(() => {
      asking = undefined;
    }));
}
