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
import { pageEnd, REST_OF_SAVE, savesOf } from './saves.ts';
import { auditChoices, labelsOf, presentAuditFilters, presentAuditSave } from './view.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { AuditNarrowing } from '../../inputs/auditQuery.ts';
import { parsed, query } from '../../http/input.ts';
import { PAGE, pageOf, positionOf } from '../../http/paging.ts';
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
  /** Whether the uses of keys are among the rows: the page leaves them out unless it is asked, the file does not. */
  uses: z.enum(['', 'shown', 'hidden']).default(''),
};
const AuditFields = z.strictObject(Fields);
const AuditPageQuery = z.strictObject({ ...Fields, cursor: PAGE.cursor });
type AuditFields = z.output<typeof AuditFields>;

const WITHOUT_USES = { without: 'API_KEY_USED' } as const;

const LIMIT = 50;
/** People and keys offered by the filter; others can be chosen by a link in the log. */
const CHOICES = 100;
const EXPORTED_AT_ONCE = 200;

/** The audit log of the tenant as a page and as a CSV file. */
export function auditLogPages(
  { db, usage, config }: Pick<Services, 'db' | 'usage' | 'config'>,
  pages: Pages,
): Router<State> {
  return new Router<State>(ROUTER)
    .get(
      '/audit-logs',
      permission('audit:read'),
      query(AuditPageQuery, async (ctx, { cursor, ...fields }) => {
        const words = pages.texts(ctx);
        const tenantId = principalOf(ctx).tenant.id;
        const hidesUses = fields.uses !== 'shown' && fields.action === '';
        const filter = { ...auditFilter(fields), ...(hidesUses && WITHOUT_USES) };
        const reversed = areReversed(filter);
        if (reversed) ctx.status = 422;
        await usage.flush();
        const binding = JSON.stringify(['audit page', tenantId, filter]);
        const page = { after: positionOf(cursor, binding), limit: LIMIT + REST_OF_SAVE + 1 };
        const found = reversed ? [] : await listAuditLogs(db, tenantId, filter, page);
        const { rows, nextCursor } = pageOf(found, pageEnd(found, LIMIT), binding);
        const offered = await choices(ctx);
        const names = labelsOf(offered);
        const shown = savesOf(rows).map((save) => presentAuditSave(save, words, names));
        const locals = {
          filter: presentAuditFilters(fields, offered, {
            path: organisationPath(ctx, '/audit-logs'),
            first: cursor !== undefined,
            nextCursor,
            hidesUses,
          }),
          ...auditChoices(fields, config.sampleProduct),
          reversed,
          rows: shown,
          // A column that has nothing to say on the whole page is left out.
          shows: { changes: shown.some(({ lines }) => lines.length > 0) },
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
        const hidesUses = fields.uses === 'hidden' && fields.action === '';
        const filter = { ...auditFilter(fields), ...(hidesUses && WITHOUT_USES) };
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
function auditFilter({ action, actor, entity, key, about, from, to }: Omit<AuditFields, 'uses'>) {
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
