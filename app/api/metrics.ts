import Router from '@koa/router';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import type { State } from '../context.ts';
import { AppError } from '../errors.ts';
import { basicAuth } from '../auth/basicAuth.ts';
import type { Services } from '../services.ts';
import { basic } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { mount, type Mount } from '../http/mount.ts';
import { ROUTER } from '../http/router.ts';
import { importOnDemand } from '../importOnDemand.ts';

/** Without support staff the metrics are not served. */
const METRICS = answers(200, z.string(), 'Says how the process is doing, for Prometheus.', ['not_found']);

/** `GET /metrics` for Prometheus, under the password of support staff wherever it is asked from. */
export function metricsMount(services: Services): Mount {
  const { config, limits } = services;
  const router = new Router<State>(ROUTER);
  if (!config.support) return mount('', [nothingHere], [router.get('/metrics', basic(), METRICS, nothingHere)]);
  const registry = metricsRegistry(services);
  router.get('/metrics', basic(), METRICS, async (ctx) => {
    ctx.type = registry.contentType;
    ctx.body = await registry.metrics();
  });
  return mount('', [basicAuth(config.support, { failures: limits.support, rate: config.limits.login })], [router]);
}

function nothingHere(): never {
  throw new AppError('not_found', 'nothing_here');
}

/** The registry of all metrics, whose values are read at each scrape; its package is loaded where somebody may ask for them. */
export function metricsRegistry({ usage }: Services): Registry {
  const { Counter, Gauge, Registry: OwnRegistry } = importOnDemand('prom-client') as typeof import('prom-client');
  const registry = new OwnRegistry();
  const counter = (name: string, help: string, value: () => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  counter('latchkey_usage_recorded_total', 'Uses of keys noted in the journal', () => usage.counts.recorded);
  counter('latchkey_usage_written_total', 'Uses of keys counted in the database', () => usage.counts.written);
  counter(
    'latchkey_usage_refused_total',
    'Uses of keys that the database refused, kept in usage/refused',
    () => usage.counts.refused,
  );
  counter('latchkey_usage_lost_total', 'Uses of keys that are counted nowhere', () => usage.counts.lost);
  gauge('latchkey_usage_backlog', 'Uses of keys that wait in the journal to be counted', () => usage.backlog);
  counter('process_cpu_seconds_total', 'Processor time of this process', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge('process_resident_memory_bytes', 'Memory of this process', () => process.memoryUsage.rss());
  gauge('process_uptime_seconds', 'Time since this process began', () => process.uptime());
  return registry;
}
