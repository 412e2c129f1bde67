import Router from '@koa/router';
import { z } from 'zod';
import { findTenant, pageOfTenants, type TenantRecord } from '../../../db/tables/tenants.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { createTenant } from '../../actions/tenants/createTenant.ts';
import { updateTenant } from '../../actions/tenants/updateTenant.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { formOf } from '../../auth/csrf.ts';
import { askConfirmation } from '../shell/confirmation.ts';
import type { Pages } from '../shell/pages.ts';
import { optionalField, recoverable, readFields, formErrors } from '../shell/formErrors.ts';
import { presentTenantsPage, TENANTS_SHOWN } from './view.ts';
import type { Services } from '../../services.ts';
import { scope } from '../../http/access.ts';
import { query } from '../../http/input.ts';
import { pathId } from '../../http/pathId.ts';
import { SearchText, WholeNumber } from '../../http/queryValues.ts';
import { ROUTER } from '../../http/router.ts';
import { NewTenant, TenantChange } from '../../inputs/tenantInput.ts';

const HOME = '/admin/tenants';
const TenantQuery = z.strictObject({
  q: SearchText.default(''),
  page: WholeNumber({ max: 1_000_000, fallback: 1 }),
});

/** Every tenant of the installation, for its operators. */
export function tenantPages({ db, config }: Pick<Services, 'db' | 'config'>, pages: Pages): Router<State> {
  return new Router<State>(ROUTER)
    .get(
      '/tenants',
      scope('platform:tenants'),
      query(TenantQuery, async (ctx, wanted) => {
        const shown = { offset: (wanted.page - 1) * TENANTS_SHOWN, limit: TENANTS_SHOWN };
        const found = await pageOfTenants(db, wanted.q, shown);
        const shownPage = presentTenantsPage(found, wanted, principalOf(ctx).tenant.id);
        // Plans are the sample product's.
        const locals = { ...shownPage, plans: config.sampleProduct };
        const title = pages.texts(ctx).t('tenants.title');
        const page = { title, section: 'tenants', part: 'tenants/_list', listed: true } as const;
        await pages.show(ctx, 'tenants/list', { ...page, locals });
      }),
    )
    .get('/tenants/new', scope('platform:tenants'), async (ctx) => showNew(ctx))
    .post('/tenants', scope('platform:tenants'), async (ctx) => {
      const form = formOf(ctx);
      const outcome = await recoverable(async () => {
        const [slug, externalId] = [optionalField(form, 'slug'), optionalField(form, 'externalId')];
        const optional = { ...(slug !== undefined && { slug }), ...(externalId !== undefined && { externalId }) };
        return createTenant(
          actionContext(ctx, db),
          readFields(NewTenant, { name: form.get('name') ?? '', ...optional }),
        );
      });
      if ('refusal' in outcome) return showNew(ctx, { form, refusal: outcome.refusal });
      const { name, slug } = outcome.done;
      pages.redirect(ctx, HOME, { text: 'tenants.created', values: { name, slug } });
    })
    .get('/tenants/:id/suspend', scope('platform:tenants'), async (ctx) => {
      const { t } = pages.texts(ctx);
      const { id, name } = await tenantOf(ctx);
      const own = id === principalOf(ctx).tenant.id;
      await askConfirmation(pages, ctx, 'tenants', {
        title: t('tenants.suspend_title', { name }),
        lines: [t('tenants.suspend_text'), t(own ? 'tenants.suspend_own' : 'tenants.suspend_undo')],
        action: `${HOME}/${id}/status`,
        fields: { status: 'suspended' },
        submit: t('tenants.suspend'),
        keep: t('tenants.keep'),
        back: HOME,
        danger: true,
      });
    })
    .post('/tenants/:id/status', scope('platform:tenants'), async (ctx) => {
      const { status } = readFields(TenantChange, { status: formOf(ctx).get('status') });
      const { name } = await updateTenant(actionContext(ctx, db), pathId(ctx), { status });
      const text = status === 'suspended' ? 'tenants.suspended_now' : 'tenants.reactivated';
      pages.redirect(ctx, HOME, { text, values: { name } });
    });

  async function tenantOf(ctx: Context): Promise<TenantRecord> {
    const tenant = await findTenant(db, pathId(ctx));
    if (!tenant) throw new AppError('not_found', 'no_such_tenant');
    return tenant;
  }

  async function showNew(ctx: Context, returned?: { form: URLSearchParams; refusal: AppError }): Promise<void> {
    const { form, refusal } = returned ?? {};
    if (refusal) ctx.status = refusal.status;
    const words = pages.texts(ctx);
    const { t } = words;
    const labels = { name: t('tenants.name'), slug: t('tenants.slug'), externalId: t('tenants.externalId') };
    const locals = {
      values: {
        name: form?.get('name') ?? '',
        slug: form?.get('slug') ?? '',
        externalId: form?.get('externalId') ?? '',
      },
      refused: refusal && formErrors(words, refusal, labels),
    };
    const page = { title: t('tenants.new'), section: 'tenants', here: `${HOME}/new` } as const;
    await pages.show(ctx, 'tenants/new', { ...page, locals });
  }
}
