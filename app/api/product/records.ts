import Router from '@koa/router';
import { findRecord, insertRecord, listRecords, type StoredRecord } from '../../../db/tables/product/records.ts';
import { actionContext, creatorOf } from '../../actions/actionContext.ts';
import { deleteRecord } from '../../actions/product/deleteRecord.ts';
import { updateRecord, versionOfRecord } from '../../actions/product/updateRecord.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { newId } from '../../domain/id.ts';
import { RESOURCES, recordSearchValues, type Resource } from '../../domain/resources.ts';
import { AppError } from '../../errors.ts';
import { DeletedAnswer, presentDeleted, presentRecord, recordAnswer, recordListAnswer } from '../answers/record.ts';
import type { Services } from '../../services.ts';
import { scope } from '../../http/access.ts';
import { answers } from '../../http/answers.ts';
import { created } from '../../http/created.ts';
import { setEtag, showsEtag, takesIfMatch } from '../../http/etag.ts';
import { body, query } from '../../http/input.ts';
import { readPage } from '../../http/paging.ts';
import { pathId } from '../../http/pathId.ts';
import { recordQuery } from '../../inputs/recordQuery.ts';
import { ROUTER } from '../../http/router.ts';

/** One router for each ordinary resource, all of them alike. */
export function recordRoutes({ db }: Pick<Services, 'db'>): Router<State>[] {
  return RESOURCES.map((resource) => routesOf(db, resource));
}

function routesOf(db: Services['db'], resource: Resource): Router<State> {
  const { name, New, Change } = resource;
  const Answer = recordAnswer(resource);
  const tenantOf = (ctx: Context) => principalOf(ctx).tenant.id;
  const show = (ctx: Context, record: StoredRecord) => {
    setEtag(ctx, versionOfRecord(record));
    ctx.body = presentRecord(resource, record);
  };

  return new Router<State>(ROUTER)
    .get(
      `/${name}`,
      scope(`${name}:read`),
      answers(200, recordListAnswer(resource), `Lists ${name}, newest first.`),
      query(recordQuery(resource), async (ctx, { filter, ...asked }) => {
        const tenantId = tenantOf(ctx);
        const { rows, nextCursor } = await readPage(asked, [name, tenantId, filter], async (page) =>
          listRecords(db, tenantId, name, filter, page),
        );
        ctx.body = { data: rows.map((record) => presentRecord(resource, record)), nextCursor };
      }),
    )
    .post(
      `/${name}`,
      scope(`${name}:write`),
      showsEtag(),
      answers(201, Answer, `Adds to ${name}.`),
      body(New, async (ctx, data) => {
        const act = actionContext(ctx, db);
        const { tenantId, now } = act;
        const record = {
          ...{ id: newId(), tenantId, resource: name, data },
          ...{ ...creatorOf(act), createdAt: now, updatedAt: now },
        };
        await insertRecord(db, record, recordSearchValues(resource, data));
        created(ctx, `/${name}/${record.id}`);
        show(ctx, record);
      }),
    )
    .get(
      `/${name}/:id`,
      scope(`${name}:read`),
      showsEtag(),
      answers(200, Answer, `Shows one of ${name}.`),
      async (ctx) => {
        const record = await findRecord(db, tenantOf(ctx), name, pathId(ctx));
        if (!record) throw new AppError('not_found');
        show(ctx, record);
      },
    )
    .patch(
      `/${name}/:id`,
      scope(`${name}:write`),
      showsEtag(),
      takesIfMatch(),
      answers(200, Answer, `Changes one of ${name}: the fields that are given.`),
      body(Change, async (ctx, change) => {
        show(ctx, await updateRecord(actionContext(ctx, db), resource, pathId(ctx), change));
      }),
    )
    .delete(
      `/${name}/:id`,
      scope(`${name}:delete`),
      takesIfMatch(),
      answers(200, DeletedAnswer, `Deletes one of ${name} for good.`),
      async (ctx) => {
        const id = pathId(ctx);
        await deleteRecord(actionContext(ctx, db), resource, id);
        ctx.body = presentDeleted(id);
      },
    );
}
