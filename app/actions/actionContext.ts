import type { Db } from '../../db/connection/connect.ts';
import type { Actor, Origin } from '../domain/auditEvent.ts';
import { principalOf, type Context, type Principal } from '../context.ts';
import type { ExpectedVersions } from '../http/etag.ts';

/** Who acts, for which tenant, when and from where: the first argument of every action. */
export interface ActionContext {
  db: Db;
  now: number;
  tenantId: string;
  actor: Actor;
  origin: Origin;
  /** Absent where the system itself acts: the command line, the first start. */
  principal?: Principal;
  /** The id of the form that was sent; a form makes one key however often it is sent. */
  formId?: string;
  /** The versions of the object that the caller accepts to change; undefined for any. */
  expectedVersions?: ExpectedVersions | undefined;
}

/** The context of an action that the caller of a request takes. */
export function actionContext(ctx: Context, db: Db): ActionContext {
  const principal = principalOf(ctx);
  return {
    db,
    now: Date.now(),
    tenantId: principal.tenant.id,
    actor: { type: principal.type, id: principal.id, name: principal.name },
    origin: originOf(ctx),
    principal,
    expectedVersions: ctx.state.expectedVersions,
  };
}

/** Who created a row, and the key it was created with; what a person's key creates counts as created by that person. */
export interface Creator {
  createdBy: string | null;
  createdWith: string | null;
}

/** The creator to store with a row that this action inserts. */
export function creatorOf({ actor, principal }: ActionContext): Creator {
  if (principal?.type !== 'api_key') return { createdBy: actor.id, createdWith: null };
  return { createdBy: principal.owner?.id ?? principal.id, createdWith: principal.id };
}

/** Where a request came from, as the audit log keeps it. */
export function originOf(ctx: Context): Origin {
  return {
    ip: ctx.state.address,
    userAgent: ctx.get('User-Agent').slice(0, 255) || null,
    requestId: ctx.state.requestId,
  };
}

/** The context of an action by an operator at the command line, or by the process itself. */
export function systemContext(db: Db, tenantId: string, now = Date.now()): ActionContext {
  return {
    db,
    now,
    tenantId,
    actor: { type: 'system', id: null, name: null },
    origin: { ip: null, userAgent: null, requestId: null },
  };
}
