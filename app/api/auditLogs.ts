import Router from '@koa/router';
import { z } from 'zod';
import { listAuditLogs } from '../../db/tables/auditLogs.ts';
import { principalOf, type State } from '../context.ts';
import { AuditLogAnswer, presentAuditEvent } from './answers/auditEvent.ts';
import type { Services } from '../services.ts';
import { permission } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { AuditNarrowing } from '../inputs/auditQuery.ts';
import { query } from '../http/input.ts';
import { pageOf, positionOf } from '../http/paging.ts';
import { WholeNumber } from '../http/queryValues.ts';
import { ROUTER } from '../http/router.ts';

const AuditQuery = AuditNarrowing.extend({
  cursor: z.string().optional(),
  limit: WholeNumber({ max: 100, fallback: 50 }),
});

/** The audit log of a tenant. */
export function auditLogRoutes({ db, usage }: Pick<Services, 'db' | 'usage'>): Router<State> {
  return new Router<State>(ROUTER).get(
    '/audit-logs',
    permission('audit:read', 'read'),
    answers(200, AuditLogAnswer, 'Lists what was done in the tenant, newest first.'),
    query(AuditQuery, async (ctx, { cursor, limit, ...filter }) => {
      const tenantId = principalOf(ctx).tenant.id;
      const binding = JSON.stringify(['audit', tenantId, filter]);
      const after = positionOf(cursor, binding);
      await usage.flush();
      const found = await listAuditLogs(db, tenantId, filter, { after, limit: limit + 1 });
      const { rows, nextCursor } = pageOf(found, limit, binding);
      ctx.body = { data: rows.map(presentAuditEvent), nextCursor };
    }),
  );
}
