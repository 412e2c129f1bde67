import { Readable } from 'node:stream';
import Router from '@koa/router';
import { z } from 'zod';
import { listApiKeys } from '../../../db/tables/keys/apiKeyList.ts';
import { listAuditLogs } from '../../../db/tables/auditLogs.ts';
import { listMembers } from '../../../db/tables/people/memberships.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { Day } from '../../domain/fields.ts';
import { AppError } from '../../errors.ts';
import type { Pages } from '../shell/pages.ts';
import { auditCsv } from './auditCsv.ts';
import { labelsOf, presentAuditFilters, presentAuditRow } from './view.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { AUDIT_ACTIONS, AUDIT_ENTITIES, AuditNarrowing } from '../../inputs/auditQuery.ts';
import { parsed, query } from '../../http/input.ts';
import { PAGE, readPage } from '../../http/paging.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { ROUTER } from '../../http/router.ts';

/** An empty field of a filter asks for nothing. */
const Field = z.string().max(100).default('');
const Fields = {
  action: Field,
  actor: Field,
  entity: Field,
  key: Field,
  about: Field,
  from: Field,
  to: Field,
};
const AuditFields = z.strictObject(Fields);
const AuditPageQuery = z.strictObject({ ...Fields, cursor: PAGE.cursor });
type AuditFields = z.output<typeof AuditFields>;

const LIMIT = 50;
/** People and keys offered by the filter; others can be chosen by a link in the log. */
const CHOICES = 100;
const EXPORTED_AT_ONCE = 500;

/** The audit log of the tenant as a page and as a CSV file. */
export function auditLogPages({ db, usage }: Pick<Services, 'db' | 'usage'>, pages: Pages): Router<State> {
  return new Router<State>(ROUTER)
    .get(
      '/audit-logs',
      permission('audit:read'),
      query(AuditPageQuery, async (ctx, { cursor, ...fields }) => {
        const words = pages.texts(ctx);
        const tenantId = principalOf(ctx).tenant.id;
        const filter = auditFilter(fields);
        const reversed = areReversed(filter);
        if (reversed) ctx.status = 422;
        await usage.flush();
        const page = { limit: LIMIT, cursor };
        const { rows, nextCursor } = await readPage(page, ['audit page', tenantId, filter], async (wanted) =>
          reversed ? [] : listAuditLogs(db, tenantId, filter, wanted),
        );
        const offered = await choices(ctx);
        const names = labelsOf(offered);
        const locals = {
          filter: presentAuditFilters(fields, offered, {
            path: organisationPath(ctx, '/audit-logs'),
            first: cursor !== undefined,
            nextCursor,
          }),
          actions: AUDIT_ACTIONS,
          entities: AUDIT_ENTITIES,
          reversed,
          rows: rows.map((row) => presentAuditRow(row, words, names)),
        };
        const title = words.t('audit.title');
        await pages.show(ctx, 'audit/list', { title, section: 'audit', part: 'audit/_list', listed: true, locals });
      }),
    )
    .get(
      '/audit-logs/export',
      permission('audit:read'),
      query(AuditFields, async (ctx, fields) => {
        const { id, slug } = principalOf(ctx).tenant;
        const filter = auditFilter(fields);
        if (areReversed(filter)) throw new AppError('invalid_query', 'days_reversed');
        await usage.flush();
        const now = Date.now();
        ctx.type = 'text/csv; charset=utf-8';
        ctx.attachment(`audit-${slug}-${new Date(now).toISOString().slice(0, 10)}.csv`);
        // Events that happen during the export are left for the next one.
        const until = Math.min(filter.to ?? now, now);
        const lines = auditCsv(async (after) =>
          listAuditLogs(db, id, { ...filter, to: until }, { after, limit: EXPORTED_AT_ONCE }),
        );
        ctx.body = Readable.from(lines);
      }),
    );

  async function choices(ctx: Context) {
    const tenantId = principalOf(ctx).tenant.id;
    const people = await listMembers(db, tenantId, { after: undefined, limit: CHOICES });
    const newest = { sort: 'createdAt', descending: true, offset: 0, limit: CHOICES } as const;
    return { people, keys: await listApiKeys(db, tenantId, { now: Date.now() }, newest) };
  }
}

/** Whether the last day lies before the first, so that nothing could fit. */
function areReversed({ from, to }: { from?: number | undefined; to?: number | undefined }): boolean {
  return from !== undefined && to !== undefined && to < from;
}

/** The filter that the fields describe; days begin and end in UTC, as the page says. */
function auditFilter({ action, actor, entity, key, about, from, to }: AuditFields) {
  const dayOf = (text: string) => parsed(Day, text, 'invalid_query', 'date_is_none');
  const fields = {
    ...(action !== '' && { action }),
    ...(actor !== '' && { actorId: actor }),
    ...(key !== '' ? { entity: 'api_key', entityId: key } : about !== '' && { entityId: about }),
    ...(entity !== '' && { entity }),
    ...(from !== '' && { from: `${dayOf(from)}T00:00:00.000Z` }),
    ...(to !== '' && { to: `${dayOf(to)}T23:59:59.999Z` }),
  };
  return parsed(AuditNarrowing, fields, 'invalid_query', 'filter_not_understood');
}
