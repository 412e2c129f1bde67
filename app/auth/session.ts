import type { Db } from '../../db/connection/connect.ts';
import { changeSessionTenant, updateLastSeen } from '../../db/tables/people/sessions.ts';
import { refuseConfinedElsewhere } from './confined.ts';
import type { Context, Middleware, Person } from '../context.ts';
import { hashToken, isOpen, VISIT_RECORDED_EVERY_MS } from '../domain/session.ts';
import { AppError } from '../errors.ts';
import type { Belonging, FoundPerson, FoundSession, Lookup } from './lookup.ts';
import type { Cookies } from '../http/cookies.ts';
import { slugInPath } from '../http/organisationPath.ts';
import { isPartial, redirectToLogin } from '../http/redirect.ts';
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
 * Admits people who are signed in, as a member of the organisation that the address names; others are redirected to the
 * login. Pages of no organisation are those of the one that was used last.
 */
export function signedIn(db: Db, lookup: Lookup, cookies: Cookies): Middleware {
  return async (ctx, next) => {
    const session = await loadSession(ctx, lookup, cookies);
    if (!session) {
      redirectToLogin(ctx);
      return;
    }
    ctx.state.belongings = session.person.memberships;
    ctx.state.principal = principalFor(ctx, session);
    await recordVisit(session);
    await rememberOrganisation(ctx, session, ctx.state.principal.tenant.id);
    await next();
  };

  async function recordVisit({ id, lastSeenAt }: FoundSession): Promise<void> {
    const now = Date.now();
    if (now - lastSeenAt >= VISIT_RECORDED_EVERY_MS) await updateLastSeen(db, id, now);
  }

  /** Only a page that the reader opens counts: forms and parts of pages would change it back and forth between two tabs. */
  async function rememberOrganisation(ctx: Context, session: FoundSession, tenantId: string): Promise<void> {
    if (session.tenantId === tenantId || ctx.method !== 'GET' || isPartial(ctx)) return;
    await changeSessionTenant(db, session.id, tenantId);
  }
}

/** Loads who is signed in, where somebody is; it refuses no request. */
export function knownPerson(lookup: Lookup, cookies: Cookies): Middleware {
  return async (ctx, next) => {
    const session = await loadSession(ctx, lookup, cookies);
    if (session) {
      ctx.state.belongings = session.person.memberships;
      useForErrorPage(ctx, session);
    }
    await next();
  };
}

/** The person in the organisation of the address; where that is refused, the error page shows another one of theirs. */
function principalFor(ctx: Context, session: FoundSession): Person {
  try {
    return principalAt(ctx.path, session);
  } catch (error) {
    useForErrorPage(ctx, session);
    throw error;
  }
}

/** Names the person to the error page: in the organisation of the address, or else in the one used last, if one is open. */
function useForErrorPage(ctx: Context, session: FoundSession): void {
  const principal =
    unlessRefused(() => principalAt(ctx.path, session)) ?? unlessRefused(() => principalUsedLast(session));
  if (principal) ctx.state.principal = principal;
}

function unlessRefused(find: () => Person): Person | undefined {
  try {
    return find();
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

function principalAt(path: string, session: FoundSession): Person {
  const slug = slugInPath(path);
  return slug === undefined ? principalUsedLast(session) : principalNamed(slug, session);
}

/** The person as a member of this organisation; one of others is refused like one that does not exist. */
function principalNamed(slug: string, { person }: FoundSession): Person {
  const membership = person.memberships.find(({ tenant }) => tenant.slug === slug);
  if (!membership) throw new AppError('not_found', 'not_your_organisation');
  refuseConfinedElsewhere(person, membership.tenant.id);
  if (!membership.tenant.active) throw new AppError('tenant_suspended', 'tenant_is_suspended');
  return memberOf(person, membership);
}

/** The person as a member of the organisation used last, or else of the first they joined that is open to them. */
function principalUsedLast({ person, tenantId }: FoundSession): Person {
  const { confinedTo, memberships } = person;
  const open = memberships.filter(({ tenant }) => tenant.active && (confinedTo === null || confinedTo === tenant.id));
  const membership = open.find(({ tenant }) => tenant.id === tenantId) ?? open[0];
  if (!membership) {
    for (const { tenant } of memberships) refuseConfinedElsewhere(person, tenant.id);
    if (memberships.length > 0) throw new AppError('tenant_suspended', 'tenant_is_suspended');
    throw new AppError('insufficient_permission', 'no_organisation');
  }
  return memberOf(person, membership);
}

function memberOf({ id, name, operator }: FoundPerson, { tenant, role, permissions }: Belonging): Person {
  return { type: 'user', id, name, tenant, role, permissions, operator };
}
