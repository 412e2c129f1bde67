import Router from '@koa/router';
import { z } from 'zod';
import type { State } from '../context.ts';
import { HEALTH_STATES, healthChecks, isHealthy } from './healthChecks.ts';
import type { Services } from '../services.ts';
import { open } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { ROUTER } from '../http/router.ts';

const HealthAnswer = z
  .strictObject({
    status: z.enum(['ok', 'unavailable', 'stopping']),
    database: z.enum(HEALTH_STATES.database),
    migrations: z.enum(HEALTH_STATES.migrations),
    journal: z.enum(HEALTH_STATES.journal),
    owner: z
      .enum(HEALTH_STATES.owner)
      .meta({ description: 'Whether the first person can sign in; absent where OWNER_EMAIL names nobody.' })
      .optional(),
  })
  .meta({ id: 'Health' });
type Health = z.output<typeof HealthAnswer>;

const LiveAnswer = z.strictObject({ status: z.literal('ok') });

/** Liveness says the process runs; readiness says it can answer, and why not. */
export function healthRoutes({ config, db, usage, readiness }: Services): Router<State> {
  const check = healthChecks({ config, db, usage });
  return new Router<State>(ROUTER)
    .get('/health/live', open(), answers(200, LiveAnswer, 'Says that the process runs.'), async (ctx) => {
      ctx.body = { status: 'ok' };
    })
    .get(
      '/health',
      open(),
      answers(200, HealthAnswer, 'Says whether requests can be answered, and why not.'),
      answers(503, HealthAnswer, 'Requests cannot be answered now, or what is used could not be kept.'),
      async (ctx) => {
        const findings = await check();
        const status = isHealthy(findings) ? 'ok' : 'unavailable';
        const health: Health = { status: readiness.stopping ? 'stopping' : status, ...findings };
        if (health.status !== 'ok') {
          ctx.status = 503;
          ctx.set('Retry-After', '1');
        }
        ctx.body = health;
      },
    );
}
