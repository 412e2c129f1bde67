import type Koa from 'koa';
import type { KeyBounds } from './domain/keyBounds.ts';
import type { Policy } from './domain/policy.ts';
import type { Permission, Role } from './domain/role.ts';
import type { ScopeSet } from './domain/scope.ts';
import type { Environment } from './domain/token.ts';
import type { Rate } from './domain/rate.ts';

/** What the middlewares learn about a request. A room that adds a field declares it beside the code that sets it. */
export interface State {
  requestId: string;
  startedAt: number;
  /** The caller's address as the trusted proxies report it; null if they do not, and then it is in no network. */
  address: string | null;
  /** The address that limits count by: the caller's, or the socket's if that is unknown. */
  countedAddress: string;
  /** The claims of a verified token. */
  claims?: unknown;
  /** Whether that token is signed with our secret. */
  ownToken?: boolean;
  /** The person of a valid token, known before the tenant is. */
  personId?: string;
  /** Who calls and for which tenant; set once, by `authenticate`. */
  principal?: Principal;
  /** The fields of a form that was submitted with a valid CSRF token. */
  form?: URLSearchParams;
}

export type Context = Koa.ParameterizedContext<State>;
export type Middleware = Koa.Middleware<State>;

/** Who a request acts as, in the one tenant it acts for. */
export type Principal = Person | KeyHolder;

export interface Tenant {
  id: string;
  slug: string;
  policy: Policy;
}

/** A person as a member of one of their tenants. */
export interface Person {
  type: 'user';
  id: string;
  name: string;
  tenant: Tenant;
  role: Role;
  permissions: ReadonlySet<Permission>;
  /** Whether the person is an operator, who may manage all tenants. */
  operator: boolean;
}

/** An API client that authenticated by a key. */
export interface KeyHolder {
  type: 'api_key';
  id: string;
  name: string;
  tenant: Tenant;
  /** The tenant that the key belongs to; `tenant` is another one while a platform key acts for that. */
  home: Tenant;
  role: Role;
  scopes: ScopeSet;
  keyPrefix: string;
  /** Its id, or that of the key that took its place: from there on `keyCounters` finds what its requests are counted by. */
  limitedBy: string;
  environment: Environment;
  /** The person the key belongs to, who bounds what it may do; null for a service token of the tenant. */
  owner: { id: string; role: Role; permissions: ReadonlySet<Permission>; operator: boolean } | null;
  expiresAt: number | null;
  rateLimit: Rate | null;
  monthlyQuota: number | null;
  /** The bounds of keys that it issues, changes or rotates. */
  bounds: KeyBounds;
}

/** Whether the caller is a platform key that acts for a tenant other than its own. */
export function actsForOtherTenant(principal: Principal | undefined): boolean {
  return principal?.type === 'api_key' && principal.home !== principal.tenant;
}

/** The caller of a guarded route; throws if there is none, since no guarded route has an anonymous caller. */
export function principalOf(ctx: Context): Principal {
  const { principal } = ctx.state;
  if (!principal) throw new Error('a guarded route was reached without a principal');
  return principal;
}
