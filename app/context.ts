import type Koa from 'koa';
import type { KeyBounds } from './domain/keyBounds.ts';
import type { Policy } from './domain/policy.ts';
import type { Permission, Role } from './domain/role.ts';
import type { ScopeSet } from './domain/scope.ts';
import type { Environment } from './domain/token.ts';
import type { Rate } from './domain/rate.ts';

/** What the middlewares learn about a request. A room that learns more of it declares that beside the code that does. */
export interface State {
  requestId: string;
  startedAt: number;
  /** The caller's address as the trusted proxies tell it; null where they do not, and then it is in no network. */
  address: string | null;
  /** What limits count by: that address, or the socket's where it is unknown. */
  countedAddress: string;
  /** What a verified token says of itself. */
  claims?: unknown;
  /** Whether that token is signed with our secret. */
  ownToken?: boolean;
  /** The person whom a valid token names, known before their tenant is. */
  personId?: string;
  /** Who calls and for which tenant; set once, by `authenticate`. */
  principal?: Principal;
  /** The fields of a form that was sent from a page of ours. */
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

/** Somebody who signed in, seen in one of their tenants. */
export interface Person {
  type: 'user';
  id: string;
  name: string;
  tenant: Tenant;
  role: Role;
  permissions: ReadonlySet<Permission>;
  /** Stands above tenants. */
  operator: boolean;
}

/** A program that showed a key. */
export interface KeyHolder {
  type: 'api_key';
  id: string;
  name: string;
  tenant: Tenant;
  role: Role;
  scopes: ScopeSet;
  keyPrefix: string;
  environment: Environment;
  /** The person the key belongs to, who bounds what it may do; null for a service token of the tenant. */
  owner: { id: string; role: Role; permissions: ReadonlySet<Permission>; operator: boolean } | null;
  expiresAt: number | null;
  rateLimit: Rate | null;
  monthlyQuota: number | null;
  /** What it may give to keys that it makes, changes or rotates. */
  bounds: KeyBounds;
}

/** The caller of a guarded route; its absence there is a fault of ours, never an anonymous caller. */
export function principalOf(ctx: Context): Principal {
  const { principal } = ctx.state;
  if (!principal) throw new Error('a guarded route was reached without a principal');
  return principal;
}
