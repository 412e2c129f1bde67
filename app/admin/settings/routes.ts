import Router from '@koa/router';
import { findTenant } from '../../../db/tables/tenants.ts';
import { listSessions } from '../../../db/tables/people/sessions.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { changePassword, passwordRefused } from '../../actions/people/changePassword.ts';
import { changePolicy } from '../../actions/tenants/changePolicy.ts';
import { endSession } from '../../actions/people/endSession.ts';
import { holdsScope } from '../../auth/authority.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { changePolicy as policyAfter, PolicyChange, StoredPolicy, type Policy } from '../../domain/policy.ts';
import { AppError } from '../../errors.ts';
import { formOf } from '../../auth/csrf.ts';
import type { Pages } from '../shell/pages.ts';
import { DEVICE_SECONDS } from '../../auth/devices.ts';
import { recoverable, readFields, formErrors, type FieldLabels, type FormErrors } from '../shell/formErrors.ts';
import { askConfirmation } from '../shell/confirmation.ts';
import { CONFLICT_STATUS, conflictRows, mergeValues, openedIn, type ConflictRow } from '../shell/conflict.ts';
import { windowOptions } from '../keys/keyForm.ts';
import { scopeChoices } from '../keys/keyScopes.ts';
import {
  breakingKeys,
  graceUnits,
  inWordsOfForm,
  namedKeys,
  policyChangeIn,
  policyFacts,
  policyFields,
  submittedFields,
  POLICY_FIELDS,
  type BreakingKeys,
  type PolicyFields,
} from './policyView.ts';
import { presentSession } from './sessionView.ts';
import type { Texts } from '../../locales/texts.ts';
import type { Services } from '../../services.ts';
import { anyCredential, scope } from '../../http/access.ts';
import { refuseChanged, versionOf } from '../../http/etag.ts';
import { pathId } from '../../http/pathId.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { ROUTER } from '../../http/router.ts';
import type { Route } from '../../http/table.ts';

const home = (ctx: Context) => organisationPath(ctx, '/settings');
const PASSWORD_FIELDS = ['current', 'wanted'] as const;

/** A refused form of the page, of which there are two. */
interface Returned {
  policy?: { fields: PolicyFields; refused?: FormErrors; opened?: Policy | undefined; conflict?: ConflictRow[] };
  password?: FormErrors;
}

/** The tenant's key policy for those who may see it, and the reader's own sessions and password. */
export function settingsPages(
  { db, devices, limits, lookup, config }: Pick<Services, 'db' | 'devices' | 'limits' | 'lookup' | 'config'>,
  pages: Pages,
  table: () => readonly Route[],
): Router<State> {
  return new Router<State>(ROUTER)
    .get('/settings', anyCredential(), async (ctx) => showSettings(ctx))
    .post('/settings/policy', scope('admin:write'), async (ctx) => {
      const fields = submittedFields(formOf(ctx));
      const opened = openedIn(formOf(ctx), StoredPolicy);
      const expectedVersions = opened && [versionOf(opened)];
      const outcome = await recoverable(async () => {
        const change = readFields(PolicyChange, policyChangeIn(fields));
        refuseChanged(expectedVersions, versionOf(principalOf(ctx).tenant.policy));
        const refused = 'confirmed' in fields ? undefined : await keysRefusedBy(ctx, change);
        if (refused) return refused;
        await changePolicy({ ...actionContext(ctx, db), expectedVersions }, change);
        return undefined;
      });
      if ('done' in outcome && outcome.done) {
        await askAboutRefused(ctx, fields, outcome.done);
        return;
      }
      if ('done' in outcome) {
        pages.redirect(ctx, home(ctx), { text: 'settings.policy_saved' });
        return;
      }
      if (opened && outcome.refusal.code === 'changed_meanwhile') {
        await showConflict(ctx, opened, fields);
        return;
      }
      const texts = pages.texts(ctx);
      const errors = formErrors(texts, outcome.refusal, labelsOf(ctx, POLICY_FIELDS));
      const refused = inWordsOfForm(errors, outcome.refusal, texts);
      await showSettings(ctx, { policy: { fields, refused, opened } });
    })
    .post('/settings/sessions/:id/end', anyCredential(), async (ctx) => {
      const ended = await endSession(actionContext(ctx, db), principalOf(ctx).id, pathId(ctx));
      pages.redirect(ctx, home(ctx), { text: ended ? 'settings.session_ended' : 'settings.session_gone' });
    })
    .post('/settings/password', anyCredential(), async (ctx) => {
      const form = formOf(ctx);
      const whose = { userId: principalOf(ctx).id, sessionId: ctx.state.session?.id ?? null };
      const email = ctx.state.session?.email ?? '';
      const device = await devices.known(pages.cookies.get(ctx, 'device'), email);
      const change = { current: form.get('current') ?? '', wanted: form.get('wanted') ?? '', device };
      const loginAttempt = { email, address: ctx.state.countedAddress, device };
      const outcome = await recoverable(async () => {
        // Without this limit a stolen session could be used to guess the password.
        const changed = await limits.login.attempt(loginAttempt, async () =>
          changePassword(actionContext(ctx, db), whose, change),
        );
        if (!changed) throw passwordRefused('current', { key: 'not_your_password' });
      });
      if ('done' in outcome) {
        // Every other browser is unknown from now on, for the password was changed.
        pages.cookies.set(ctx, 'device', devices.textFor(email, Date.now(), device), DEVICE_SECONDS);
        pages.redirect(ctx, home(ctx), { text: 'settings.password_changed' });
        return;
      }
      await showSettings(ctx, {
        password: formErrors(pages.texts(ctx), outcome.refusal, labelsOf(ctx, PASSWORD_FIELDS)),
      });
    });

  /** Shows the form again with what others have changed, and what the reader has changed on top of it. */
  async function showConflict(ctx: Context, opened: Policy, sent: PolicyFields): Promise<void> {
    const principal = principalOf(ctx);
    const tenant = await findTenant(db, principal.tenant.id);
    if (!tenant) throw new AppError('not_found', 'no_such_tenant');
    // The rest of the page goes by the policy as it is stored now.
    ctx.state.principal = { ...principal, tenant: { ...principal.tenant, policy: tenant.policy } };
    const yours = policyAfter(opened, readFields(PolicyChange, policyChangeIn(sent)));
    const versions = { opened, yours, stored: tenant.policy };
    const texts = pages.texts(ctx);
    const conflict = conflictRows(versions, (policy) =>
      policyFacts(policy, texts, fallbackRate(texts)).flatMap(({ facts }) => facts),
    );
    ctx.status = CONFLICT_STATUS;
    await showSettings(ctx, { policy: { fields: policyFields(mergeValues(versions)), conflict } });
  }

  /** The keys that a change of the policy would refuse from now on; undefined where there are none. */
  async function keysRefusedBy(ctx: Context, change: PolicyChange): Promise<BreakingKeys | undefined> {
    const { id, policy } = principalOf(ctx).tenant;
    const after = policyAfter(policy, change);
    const isSame =
      policy.enforceOnExisting &&
      policy.requireExpiry === after.requireExpiry &&
      policy.maxLifetimeDays === after.maxLifetimeDays;
    if (!after.enforceOnExisting || isSame) return undefined;
    const breaking = await breakingKeys(db, id, after, Date.now());
    return breaking.count > 0 ? breaking : undefined;
  }

  async function askAboutRefused(ctx: Context, sent: PolicyFields, breaking: BreakingKeys): Promise<void> {
    const texts = pages.texts(ctx);
    const { t } = texts;
    const fields = Object.entries(sent).filter(([name]) => name !== '_csrf');
    await askConfirmation(pages, ctx, 'settings', {
      title: t('settings.enforce_title', { count: breaking.count }),
      lines: [t('settings.enforce_which', { names: namedKeys(breaking, texts) }), t('settings.enforce_undo')],
      action: `${home(ctx)}/policy`,
      fields: { ...Object.fromEntries(fields), confirmed: 'yes' },
      submit: t('settings.enforce_submit', { count: breaking.count }),
      keep: t('settings.enforce_keep'),
      back: home(ctx),
      danger: true,
    });
  }

  /** What the form of the policy is made of. */
  async function formLocals(ctx: Context, fields: PolicyFields) {
    const texts = pages.texts(ctx);
    const principal = principalOf(ctx);
    const stored = principal.tenant.policy.defaultScopes;
    const checked = (fields.defaultScopes ?? '').split(/[\s,]+/).filter((scope) => scope !== '');
    return {
      policy: fields,
      groups: scopeChoices(principal, texts, await lookup.catalogue(), table(), { checked, granted: stored }),
      windows: windowOptions(fields.windowSeconds ?? '', texts),
      graceUnits: graceUnits(texts),
    };
  }

  function labelsOf(ctx: Context, fields: readonly string[]): FieldLabels {
    const { t } = pages.texts(ctx);
    return Object.fromEntries(fields.map((field) => [field, t(`settings.${field}`)]));
  }

  /** Whose rate holds where the policy has none. */
  function fallbackRate({ t }: Texts): string {
    return t(config.sampleProduct ? 'settings.by_plan' : 'settings.by_installation');
  }

  async function showSettings(ctx: Context, { policy, password }: Returned = {}): Promise<void> {
    const principal = principalOf(ctx);
    const { session } = ctx.state;
    if (!session) throw new AppError('internal_error');
    const maySee = holdsScope(principal, 'admin:read');
    const sessions = await listSessions(db, principal.id, Date.now());
    const breaking = maySee
      ? await breakingKeys(db, principal.tenant.id, principal.tenant.policy, Date.now())
      : undefined;
    const refused = policy?.refused ?? password;
    if (refused) ctx.status = refused.status;
    const texts = pages.texts(ctx);
    const mayChange = maySee && holdsScope(principal, 'admin:write');
    const locals = {
      ...(mayChange
        ? await formLocals(ctx, policy?.fields ?? policyFields(principal.tenant.policy))
        : maySee && { facts: policyFacts(principal.tenant.policy, texts, fallbackRate(texts)) }),
      fallbackRate: fallbackRate(texts),
      breaking: breaking && { count: breaking.count, names: namedKeys(breaking, texts) },
      enforced: principal.tenant.policy.enforceOnExisting,
      refused: { policy: policy?.refused, password },
      conflict: policy?.conflict,
      opened: JSON.stringify(policy?.opened ?? principal.tenant.policy),
      sessions: sessions.map((one) => presentSession(one, session.id)),
      email: session.email,
    };
    const title = texts.t('settings.title');
    await pages.show(ctx, 'settings/page', { title, section: 'settings', locals, here: home(ctx) });
  }
}
