import Router from '@koa/router';
import { listSessions } from '../../../db/tables/people/sessions.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { changePassword, passwordRefused } from '../../actions/people/changePassword.ts';
import { changePolicy } from '../../actions/tenants/changePolicy.ts';
import { endSession } from '../../actions/people/endSession.ts';
import { holdsScope } from '../../auth/authority.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { PolicyChange } from '../../domain/policy.ts';
import { AppError } from '../../errors.ts';
import { formOf } from '../../auth/csrf.ts';
import type { Pages } from '../shell/pages.ts';
import { DEVICE_SECONDS } from '../../auth/devices.ts';
import { recoverable, readFields, formErrors, type FieldLabels, type FormErrors } from '../shell/formErrors.ts';
import { policyChangeIn, policyFields, POLICY_FIELDS, type PolicyFields } from './policyView.ts';
import { presentSession } from './sessionView.ts';
import type { Services } from '../../services.ts';
import { anyCredential, scope } from '../../http/access.ts';
import { pathId } from '../../http/pathId.ts';
import { ROUTER } from '../../http/router.ts';

const HOME = '/admin/security';
const PASSWORD_FIELDS = ['current', 'wanted'] as const;

/** A refused form of the page, of which there are two. */
interface Returned {
  policy?: { fields: PolicyFields; refused: FormErrors };
  password?: FormErrors;
}

/** The tenant's key policy for those who may see it, and the reader's own sessions and password. */
export function securityPages(
  { db, devices, limits }: Pick<Services, 'db' | 'devices' | 'limits'>,
  pages: Pages,
): Router<State> {
  return new Router<State>(ROUTER)
    .get('/security', anyCredential(), async (ctx) => showSecurity(ctx))
    .post('/security/policy', scope('admin:write'), async (ctx) => {
      const form = formOf(ctx);
      const outcome = await recoverable(async () =>
        changePolicy(actionContext(ctx, db), readFields(PolicyChange, policyChangeIn(form))),
      );
      if ('done' in outcome) {
        pages.redirect(ctx, HOME, { text: 'security.policy_saved' });
        return;
      }
      const refused = formErrors(pages.texts(ctx), outcome.refusal, labelsOf(ctx, POLICY_FIELDS));
      await showSecurity(ctx, { policy: { fields: Object.fromEntries(form), refused } });
    })
    .post('/security/sessions/:id/end', anyCredential(), async (ctx) => {
      const ended = await endSession(actionContext(ctx, db), principalOf(ctx).id, pathId(ctx));
      pages.redirect(ctx, HOME, { text: ended ? 'security.session_ended' : 'security.session_gone' });
    })
    .post('/security/password', anyCredential(), async (ctx) => {
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
        pages.redirect(ctx, HOME, { text: 'security.password_changed' });
        return;
      }
      await showSecurity(ctx, {
        password: formErrors(pages.texts(ctx), outcome.refusal, labelsOf(ctx, PASSWORD_FIELDS)),
      });
    });

  function labelsOf(ctx: Context, fields: readonly string[]): FieldLabels {
    const { t } = pages.texts(ctx);
    return Object.fromEntries(fields.map((field) => [field, t(`security.${field}`)]));
  }

  async function showSecurity(ctx: Context, { policy, password }: Returned = {}): Promise<void> {
    const principal = principalOf(ctx);
    const { session } = ctx.state;
    if (!session) throw new AppError('internal_error');
    const maySee = holdsScope(principal, 'admin:read');
    const sessions = await listSessions(db, principal.id, Date.now());
    const refused = policy?.refused ?? password;
    if (refused) ctx.status = refused.status;
    const locals = {
      policy: maySee ? (policy?.fields ?? policyFields(principal.tenant.policy)) : undefined,
      mayChange: holdsScope(principal, 'admin:write'),
      refused: { policy: policy?.refused, password },
      sessions: sessions.map((one) => presentSession(one, session.id)),
      email: session.email,
    };
    const title = pages.texts(ctx).t('security.title');
    await pages.show(ctx, 'security/page', { title, section: 'security', locals, here: HOME });
  }
}
