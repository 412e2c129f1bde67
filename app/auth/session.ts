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

/** Loads the browser's open session, if any, and the reader's language and theme; it refuses no request. */
export function session(lookup: Lookup, cookies: Cookies): Middleware {
  return async (ctx, next) => {
    await loadSession(ctx, lookup, cookies);
    await next();
  };
}

/**
 * Admits people who are signed in, with the same principal that their token would give; others are redirected to the
 * login.
 */
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

/** Loads who is signed in, where somebody is; it refuses no request. */
export function knownPerson(lookup: Lookup, cookies: Cookies): Middleware {
  return async (ctx, next) => {
    const session = await loadSession(ctx, lookup, cookies);
    if (session) {
      ctx.state.belongings = session.person.memberships;
      const principal = principalUnlessRefused(session);
      if (principal) ctx.state.principal = principal;
    }
    await next();
  };
}

function principalUnlessRefused({ person, tenantId }: FoundSession): Person | undefined {
  try {
    return principalIn(person, tenantId);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
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
 * The person as a member of the tenant that the session was switched to, or else of the first tenant they joined that
 * is open to them.
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
