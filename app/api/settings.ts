import Router from '@koa/router';
import { z } from 'zod';
import { findTenant, type TenantRecord } from '../../db/tables/tenants.ts';
import { actionContext } from '../actions/actionContext.ts';
import { updateTenant, versionOfTenant } from '../actions/tenants/updateTenant.ts';
import { principalOf, type Context, type State } from '../context.ts';
import { Slug } from '../domain/slug.ts';
import { Name } from '../domain/text.ts';
import { AppError } from '../errors.ts';
import { presentSettings, SettingsAnswer } from './answers/settings.ts';
import type { Services } from '../services.ts';
import { scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { setEtag, showsEtag, takesIfMatch } from '../http/etag.ts';
import { body } from '../http/input.ts';
import { ROUTER } from '../http/router.ts';

// The externalId cannot be changed here: the product's backend finds the tenant by it, so a tenant could pass for
// another.
const SettingsChange = z.strictObject({ name: Name, slug: Slug }).partial();

/** The tenant's name and slug. */
export function settingsRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  const show = (ctx: Context, tenant: TenantRecord) => {
    setEtag(ctx, versionOfTenant(tenant));
    ctx.body = presentSettings(tenant);
  };

  return new Router<State>(ROUTER)
    .get(
      '/settings',
      scope('settings:read'),
      showsEtag(),
      answers(200, SettingsAnswer, 'Shows what the tenant is called.'),
      async (ctx) => {
        const tenant = await findTenant(db, principalOf(ctx).tenant.id);
        if (!tenant) throw new AppError('not_found');
        show(ctx, tenant);
      },
    )
    .patch(
      '/settings',
      scope('settings:write'),
      showsEtag(),
      takesIfMatch(),
      answers(200, SettingsAnswer, 'Changes what the tenant is called; a new slug holds at once.', ['conflict']),
      body(SettingsChange, async (ctx, change) => {
        const act = actionContext(ctx, db);
        show(ctx, await updateTenant(act, act.tenantId, change));
      }),
    );
}
