import Router from '@koa/router';
import { z } from 'zod';
import { findTenant, pageOfTenants, type TenantRecord } from '../../../db/tables/tenants.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { inviteMember } from '../../actions/people/inviteMember.ts';
import { createTenant } from '../../actions/tenants/createTenant.ts';
import { enterTenant } from '../../actions/tenants/enterTenant.ts';
import { updateTenant } from '../../actions/tenants/updateTenant.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { formOf } from '../../auth/csrf.ts';
import { showInvitationLink } from '../members/invitationLink.ts';
import { askConfirmation } from '../shell/confirmation.ts';
import type { Pages } from '../shell/pages.ts';
import { optionalField, recoverable, readFields, formErrors } from '../shell/formErrors.ts';
import { presentTenantsPage, TENANTS_SHOWN } from './view.ts';
import type { Services } from '../../services.ts';
import { scope } from '../../http/access.ts';
import { query } from '../../http/input.ts';
import { Email } from '../../domain/email.ts';
import { pathOfOrganisation } from '../../http/organisationPath.ts';
import { pathId } from '../../http/pathId.ts';
import { SearchText, WholeNumber } from '../../http/queryValues.ts';
import { ROUTER } from '../../http/router.ts';
import { NewTenant, TenantChange } from '../../inputs/tenantInput.ts';

const HOME = '/admin/tenants';
const TenantQuery = z.strictObject({
  q: SearchText.default(''),
  page: WholeNumber({ max: 1_000_000, fallback: 1 }),
});

const NEW_TENANT_FIELDS = ['name', 'slug', 'externalId', 'ownerEmail'] as const;
/** A tenant with the email of who is invited to own it. */
const NewTenantForm = NewTenant.extend({ ownerEmail: Email.optional() });
const OwnerInvitation = z.strictObject({ email: Email });

/** A form that was refused, and why. */
interface Returned {
  form: URLSearchParams;
  refusal: AppError;
}

/** Every tenant of the installation, for its operators. */
export function tenantPages({ config, db }: Pick<Services, 'config' | 'db'>, pages: Pages): Router<State> {
  return new Router<State>(ROUTER)
    .get(
      '/tenants',
      scope('platform:tenants'),
      query(TenantQuery, async (ctx, wanted) => {
        const shown = { offset: (wanted.page - 1) * TENANTS_SHOWN, limit: TENANTS_SHOWN };
        const found = await pageOfTenants(db, { q: wanted.q }, shown);
        const { t, locale } = pages.texts(ctx);
        const shownPage = presentTenantsPage(found, wanted, principalOf(ctx).tenant.id, locale);
        // Plans are the sample product's.
        const locals = { ...shownPage, plans: config.sampleProduct };
        const title = t('tenants.title');
        const page = { title, section: 'tenants', part: 'tenants/_list', listed: true } as const;
        await pages.show(ctx, 'tenants/list', { ...page, locals });
      }),
    )
    .get('/tenants/new', scope('platform:tenants'), async (ctx) => showNew(ctx))
    .post('/tenants', scope('platform:tenants'), async (ctx) => {
      const form = formOf(ctx);
      const outcome = await recoverable(async () => {
        const { ownerEmail, ...tenant } = readFields(NewTenantForm, newTenantFields(form));
        return { ownerEmail, tenant: await createTenant(actionContext(ctx, db), tenant) };
      });
      if ('refusal' in outcome) return showNew(ctx, { form, refusal: outcome.refusal });
      const { ownerEmail, tenant } = outcome.done;
      if (ownerEmail === undefined) {
        pages.redirect(ctx, HOME, { text: 'tenants.created', values: { name: tenant.name, slug: tenant.slug } });
      } else await showLink(ctx, await inviteOwner(ctx, tenant.id, ownerEmail));
    })
    .get('/tenants/:id/owner', scope('platform:tenants'), async (ctx) => showOwnerForm(ctx, await tenantOf(ctx)))
    .post('/tenants/:id/owner', scope('platform:tenants'), async (ctx) => {
      const tenant = await tenantOf(ctx);
      const form = formOf(ctx);
      const outcome = await recoverable(async () => {
        const { email } = readFields(OwnerInvitation, { email: form.get('email') ?? '' });
        return inviteOwner(ctx, tenant.id, email);
      });
      if ('refusal' in outcome) await showOwnerForm(ctx, tenant, { form, refusal: outcome.refusal });
      else await showLink(ctx, outcome.done);
    })
    .get('/tenants/:id/enter', scope('platform:tenants'), async (ctx) => {
      const { t } = pages.texts(ctx);
      const { id, name } = await tenantOf(ctx);
      await askConfirmation(pages, ctx, 'tenants', {
        title: t('tenants.enter_title', { name }),
        lines: [t('tenants.enter_text', { name }), t('tenants.enter_leave')],
        action: `${HOME}/${id}/enter`,
        submit: t('tenants.enter'),
        keep: t('tenants.stay_out'),
        back: HOME,
      });
    })
    .post('/tenants/:id/enter', scope('platform:tenants'), async (ctx) => {
      const tenant = await tenantOf(ctx);
      await enterTenant({ ...actionContext(ctx, db), tenantId: tenant.id }, principalOf(ctx).id);
      pages.redirect(ctx, pathOfOrganisation(tenant, '/api-keys'));
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

  async function inviteOwner(ctx: Context, tenantId: string, email: string): ReturnType<typeof inviteMember> {
    return inviteMember({ ...actionContext(ctx, db), tenantId }, { email, role: 'OWNER' });
  }

  async function showLink(ctx: Context, invited: Awaited<ReturnType<typeof inviteMember>>): Promise<void> {
    await showInvitationLink(pages, config, ctx, invited, { section: 'tenants', back: HOME });
  }

  async function showOwnerForm(ctx: Context, { id, name }: TenantRecord, returned?: Returned): Promise<void> {
    const { form, refusal } = returned ?? {};
    if (refusal) ctx.status = refusal.status;
    const words = pages.texts(ctx);
    const locals = {
      tenant: { id, name },
      email: form?.get('email') ?? '',
      refused: refusal && formErrors(words, refusal, { email: words.t('tenants.ownerEmail') }),
    };
    const title = words.t('tenants.invite_owner_of', { name });
    await pages.show(ctx, 'tenants/owner', { title, section: 'tenants', here: `${HOME}/${id}/owner`, locals });
  }

  async function showNew(ctx: Context, returned?: Returned): Promise<void> {
    const { form, refusal } = returned ?? {};
    if (refusal) ctx.status = refusal.status;
    const words = pages.texts(ctx);
    const labels = Object.fromEntries(NEW_TENANT_FIELDS.map((field) => [field, words.t(`tenants.${field}`)]));
    const locals = {
      values: Object.fromEntries(NEW_TENANT_FIELDS.map((field) => [field, form?.get(field) ?? ''])),
      refused: refusal && formErrors(words, refusal, labels),
    };
    const page = { title: words.t('tenants.new'), section: 'tenants', here: `${HOME}/new` } as const;
    await pages.show(ctx, 'tenants/new', { ...page, locals });
  }
}

/** The fields of the form for a new tenant; those left empty are absent. */
function newTenantFields(form: URLSearchParams): Record<string, string> {
  const given = NEW_TENANT_FIELDS.flatMap((field) => {
    const text = optionalField(form, field);
    return text === undefined ? [] : [[field, text] as const];
  });
  return { name: '', ...Object.fromEntries(given) };
}
