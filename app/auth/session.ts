import type { Db } from '../../db/connection/connect.ts';
import { updateLastSeen } from '../../db/tables/people/sessions.ts';
import { refuseConfinedElsewhere } from './confined.ts';
import type { Context, Middleware, Person } from '../context.ts';
import { hashToken, isOpen, VISIT_RECORDED_EVERY_MS } from '../domain/session.ts';
import { AppError } from '../errors.ts';
import type { FoundPerson, FoundSession, Lookup } from './lookup.ts';
import type { Cookies } from '../http/cookies.ts';
import { redirectToLogin } from '../http/redirect.ts';
import { readerOf } from '../http/reader.ts';

const TOKEN = /^[\w-]{43}$/;

/** Learns which session the browser shows, if any that counts still, and how its reader wants pages; it lets everybody pass. */
export function session(lookup: Lookup, cookies: Cookies): Middleware {
  return async (ctx, next) => {
    await loadSession(ctx, lookup, cookies);
    await next();
  };
}

/** Lets in whoever is signed in, as the same principal a token of theirs would make; everybody else is led to the login. */
export function signedIn(db: Db, lookup: Lookup, cookies: Cookies): Middleware {
  return async (ctx, next) => {
    const session = await loadSession(ctx, lookup, cookies);
    if (!session) {
      redirectToLogin(ctx);
      return;
    }
    ctx.state.belongings = session.person.memberships;
    ctx.state.principal = principalIn(session.person, session.tenantId);
    await recordVisit(session);
    await next();
  };

  async function recordVisit({ id, lastSeenAt }: FoundSession): Promise<void> {
    const now = Date.now();
    if (now - lastSeenAt >= VISIT_RECORDED_EVERY_MS) await updateLastSeen(db, id, now);
  }
}

async function loadSession(ctx: Context, lookup: Lookup, cookies: Cookies): Promise<FoundSession | undefined> {
  const token = cookies.get(ctx, 'session');
  const found = token !== undefined && TOKEN.test(token) ? await lookup.session(hashToken(token)) : undefined;
  const session = found?.person.active && isOpen(found, Date.now()) ? found : undefined;
  if (session) ctx.state.session = session;
  ctx.state.reader = readerOf(ctx, cookies, session);
  return session;
}

/**
 * The person in the tenant the session was switched to; in the one they joined first of those that are open, where that one
 * is closed to them now.
 */
function principalIn(person: FoundPerson, tenantId: string | null): Person {
  const { id, name, operator, confinedTo, memberships } = person;
  const open = memberships.filter(({ tenant }) => tenant.active && (confinedTo === null || confinedTo === tenant.id));
  const membership = open.find(({ tenant }) => tenant.id === tenantId) ?? open[0];
  if (!membership) {
    for (const { tenant } of memberships) refuseConfinedElsewhere(person, tenant.id);
    if (memberships.length > 0) throw new AppError('tenant_suspended', 'tenant_is_suspended');
    throw new AppError('insufficient_permission', 'no_organisation');
  }
  const { tenant, role, permissions } = membership;
  return { type: 'user', id, name, tenant, role, permissions, operator };
}
