import Router from '@koa/router';
import type { Db } from '../../db/connection/connect.ts';
import { findTenant, pageOfTenants, type TenantRecord } from '../../db/tables/tenants.ts';
import { actionContext } from '../actions/actionContext.ts';
import { createTenant } from '../actions/tenants/createTenant.ts';
import { updateTenant, versionOfTenant } from '../actions/tenants/updateTenant.ts';
import type { Context, State } from '../context.ts';
import { AppError } from '../errors.ts';
import { scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { setEtag, showsEtag, takesIfMatch } from '../http/etag.ts';
import { makes } from '../http/idempotency.ts';
import { body, query } from '../http/input.ts';
import { pathId } from '../http/pathId.ts';
import { ROUTER } from '../http/router.ts';
import { NewTenant, TenantChange, TenantQuery } from '../inputs/tenantInput.ts';
import type { Services } from '../services.ts';
import { answerMade } from './answerMade.ts';
import { presentTenant, TenantAnswer, TenantListAnswer } from './answers/tenant.ts';

const managing = () => scope('platform:tenants');

/** All tenants of the installation, for its operators and their keys. */
export function tenantRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  const showTenant = (ctx: Context, tenant: TenantRecord) => {
    setEtag(ctx, versionOfTenant(tenant));
    ctx.body = presentTenant(tenant);
  };

  return new Router<State>(ROUTER)
    .post(
      '/tenants',
      managing(),
      makes(db),
      showsEtag(),
      answers(201, TenantAnswer, 'Creates a tenant, without people and keys; the slug comes from the name if absent.', [
        'conflict',
      ]),
      body(NewTenant, async (ctx, input) =>
        answerMade(
          ctx,
          db,
          async (act) => createTenant(act, input),
          async ({ id }, act) => {
            const tenant = await tenantWith(act.db, id);
            return { path: `/tenants/${id}`, version: versionOfTenant(tenant), body: presentTenant(tenant) };
          },
        ),
      ),
    )
    .get(
      '/tenants',
      managing(),
      answers(200, TenantListAnswer, 'Lists the tenants, the newest first.'),
      query(TenantQuery, async (ctx, { page, limit, ...filter }) => {
        const { tenants, total } = await pageOfTenants(db, filter, { offset: (page - 1) * limit, limit });
        ctx.body = { data: tenants.map(presentTenant), total, page, limit };
      }),
    )
    .get('/tenants/:id', managing(), showsEtag(), answers(200, TenantAnswer, 'Shows a tenant.'), async (ctx) => {
      showTenant(ctx, await tenantWith(db, pathId(ctx)));
    })
    .patch(
      '/tenants/:id',
      managing(),
      showsEtag(),
      takesIfMatch(),
      answers(
        200,
        TenantAnswer,
        'Renames, suspends or reactivates a tenant; a suspension holds for its keys and people from their next request on.',
        ['conflict'],
      ),
      body(TenantChange, async (ctx, change) => {
        showTenant(ctx, await updateTenant(actionContext(ctx, db), pathId(ctx), change));
      }),
    );
}

async function tenantWith(db: Db, id: string): Promise<TenantRecord> {
  const tenant = await findTenant(db, id);
  if (!tenant) throw new AppError('not_found', 'no_such_tenant');
  return tenant;
}
