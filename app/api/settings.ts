import Router from '@koa/router';
import { z } from 'zod';
import { findTenant } from '../../db/tables/tenants.ts';
import { actionContext } from '../actions/actionContext.ts';
import { updateTenant } from '../actions/tenants/updateTenant.ts';
import { principalOf, type State } from '../context.ts';
import { Slug } from '../domain/slug.ts';
import { Name } from '../domain/text.ts';
import { AppError } from '../errors.ts';
import { presentSettings, SettingsAnswer } from './answers/settings.ts';
import type { Services } from '../services.ts';
import { scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { body } from '../http/input.ts';
import { ROUTER } from '../http/router.ts';

// The externalId cannot be changed here: the product's backend finds the tenant by it, so a tenant could pass for
// another.
const SettingsChange = z.strictObject({ name: Name, slug: Slug }).partial();

/** The tenant's name and slug. */
export function settingsRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  return new Router<State>(ROUTER)
    .get(
      '/settings',
      scope('settings:read'),
      answers(200, SettingsAnswer, 'Shows what the tenant is called.'),
      async (ctx) => {
        const tenant = await findTenant(db, principalOf(ctx).tenant.id);
        if (!tenant) throw new AppError('not_found');
        ctx.body = presentSettings(tenant);
      },
    )
    .patch(
      '/settings',
      scope('settings:write'),
      answers(200, SettingsAnswer, 'Changes what the tenant is called; a new slug holds at once.', ['conflict']),
      body(SettingsChange, async (ctx, change) => {
        const act = actionContext(ctx, db);
        ctx.body = presentSettings(await updateTenant(act, act.tenantId, change));
      }),
    );
}
