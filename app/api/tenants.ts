import Router from '@koa/router';
import { findTenant, pageOfTenants, type TenantRecord } from '../../db/tables/tenants.ts';
import { actionContext } from '../actions/actionContext.ts';
import { createTenant } from '../actions/tenants/createTenant.ts';
import { updateTenant } from '../actions/tenants/updateTenant.ts';
import type { State } from '../context.ts';
import { AppError } from '../errors.ts';
import { scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { created } from '../http/created.ts';
import { body, query } from '../http/input.ts';
import { pathId } from '../http/pathId.ts';
import { ROUTER } from '../http/router.ts';
import { NewTenant, TenantChange, TenantQuery } from '../inputs/tenantInput.ts';
import type { Services } from '../services.ts';
import { presentTenant, TenantAnswer, TenantListAnswer } from './answers/tenant.ts';

const managing = () => scope('platform:tenants');

/** All tenants of the installation, for its operators and their keys. */
export function tenantRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  const tenantWith = async (id: string): Promise<TenantRecord> => {
    const tenant = await findTenant(db, id);
    if (!tenant) throw new AppError('not_found', 'no_such_tenant');
    return tenant;
  };

  return new Router<State>(ROUTER)
    .post(
      '/tenants',
      managing(),
      answers(201, TenantAnswer, 'Creates a tenant, without people and keys; the slug comes from the name if absent.', [
        'conflict',
      ]),
      body(NewTenant, async (ctx, input) => {
        const { id } = await createTenant(actionContext(ctx, db), input);
        created(ctx, `/tenants/${id}`);
        ctx.body = presentTenant(await tenantWith(id));
      }),
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
    .get('/tenants/:id', managing(), answers(200, TenantAnswer, 'Shows a tenant.'), async (ctx) => {
      ctx.body = presentTenant(await tenantWith(pathId(ctx)));
    })
    .patch(
      '/tenants/:id',
      managing(),
      answers(
        200,
        TenantAnswer,
        'Renames, suspends or reactivates a tenant; a suspension holds for its keys and people from their next request on.',
        ['conflict'],
      ),
      body(TenantChange, async (ctx, change) => {
        ctx.body = presentTenant(await updateTenant(actionContext(ctx, db), pathId(ctx), change));
      }),
    );
}
