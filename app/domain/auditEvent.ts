import { isDeepStrictEqual } from 'node:util';

/** The closed list of audited actions, each with the kind of entity that it is about. */
export const AUDITED = {
  API_KEY_CREATED: 'api_key',
  API_KEY_IMPORTED: 'api_key',
  API_KEY_USED: 'api_key',
  API_KEY_UPDATED: 'api_key',
  API_KEY_SCOPES_UPDATED: 'api_key',
  API_KEY_ROTATED: 'api_key',
  API_KEY_PAUSED: 'api_key',
  API_KEY_RESUMED: 'api_key',
  API_KEY_REVOKED: 'api_key',
  API_KEY_LEAK_REPORTED: 'api_key',
  SETTINGS_CHANGED: 'settings',
  MEMBER_ADDED: 'membership',
  MEMBER_CHANGED: 'membership',
  MEMBER_REMOVED: 'membership',
  MEMBER_LEFT: 'membership',
  OPERATOR_ENTERED: 'membership',
  INVITATION_CREATED: 'invitation',
  INVITATION_WITHDRAWN: 'invitation',
  INVITATION_ACCEPTED: 'invitation',
  INVITATION_DECLINED: 'invitation',
  USER_CREATED: 'user',
  USER_CHANGED: 'user',
  USER_DISABLED: 'user',
  USER_ENABLED: 'user',
  PASSWORD_CHANGED: 'user',
  PASSWORD_RESET_OFFERED: 'user',
  PASSWORD_RESET: 'user',
  // About the person, since a login over the API opens no session.
  LOGIN: 'user',
  LOGIN_FAILED: 'user',
  LOGOUT: 'session',
  SESSION_ENDED: 'session',
  TENANT_CREATED: 'tenant',
  TENANT_UPDATED: 'tenant',
  APP_INSTALLED: 'app',
  APP_UNINSTALLED: 'app',
  CHECKOUT_STARTED: 'checkout',
  CHECKOUT_CONFIRMED: 'checkout',
  CHECKOUT_WITHDRAWN: 'checkout',
  TICKET_OPENED: 'ticket',
  TICKET_UPDATED: 'ticket',
  // A new record says itself who made it, and when.
  RECORD_UPDATED: 'record',
  RECORD_DELETED: 'record',
  DRAFT_SAVED: 'draft',
  ROUTES_CHANGED: 'forward_auth',
  SCOPES_CHANGED: 'scopes',
} as const satisfies Record<string, string>;

export type AuditAction = keyof typeof AUDITED;
export type AuditEntity = (typeof AUDITED)[AuditAction];

/** Kinds of entities of the sample product, of which nothing new is logged without it. */
export const SAMPLE_ENTITIES: ReadonlySet<AuditEntity> = new Set(['app', 'checkout', 'ticket', 'record', 'draft']);

declare const checked: unique symbol;
/** Fields that went through `changedFields`, the only way into an event. */
export type AuditFields = Readonly<Record<string, unknown>> & { readonly [checked]: true };

/** An action on an entity; `entityId` is null only if no such entity exists, as in a login with an unknown email. */
export interface AuditEvent {
  readonly action: AuditAction;
  readonly entityId: string | null;
  readonly before?: AuditFields;
  readonly after?: AuditFields;
}

/** Who did it; the name is kept as it was then. */
export interface Actor {
  readonly type: 'user' | 'api_key' | 'system' | 'anonymous';
  readonly id: string | null;
  readonly name: string | null;
}

/** Where the request came from, null where it is not known or there was none. */
export interface Origin {
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

const SECRET_NAME = /key|hash|passw|pwd|token|secret|credential|cookie|jwt/i;

/** Fields of ours whose names only look like secrets. */
const NOT_SECRET = new Set([
  'keyId',
  'keyPrefix',
  'previousKeyId',
  'successorKeyId',
  'keysMayManageKeys',
  'allowBearerKeys',
]);

/**
 * The changed fields with their values before and after; an empty side is left out, so a creation has no `before`.
 * Throws on a field named like a secret, changed or not, so that a test finds it.
 */
export function changedFields(
  before: Fields | null,
  after: Fields | null,
): { before?: AuditFields; after?: AuditFields } {
  for (const field of [...Object.keys(before ?? {}), ...Object.keys(after ?? {})]) {
    if (isSecretName(field)) throw new Error(`The field ${field} does not belong in the audit log`);
  }
  const earlier = differingFields(before ?? {}, after ?? {});
  const later = differingFields(after ?? {}, before ?? {});
  return { ...(earlier && { before: earlier }), ...(later && { after: later }) };
}

/** How much of a customer's own text the log keeps, in characters. */
const LONGEST_TEXT = 500;

/**
 * A change whose values a customer makes as long as they like, as the log keeps it: a long text by its beginning, and
 * what is long and no text by the beginning of its JSON. Only what differs is left by then, so that no change is missed.
 */
export function shortenFields(change: ReturnType<typeof changedFields>): ReturnType<typeof changedFields> {
  const { before, after } = change;
  return { ...(before && { before: shortened(before) }), ...(after && { after: shortened(after) }) };
}

function shortened(fields: AuditFields): AuditFields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, shortValue(value)])) as AuditFields;
}

function shortValue(value: unknown): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text.length <= LONGEST_TEXT) return value;
  // The cut may halve a character.
  return `${text.slice(0, LONGEST_TEXT).replace(/\p{Cs}/gu, '')}…`;
}

function differingFields(fields: Fields, others: Fields): AuditFields | undefined {
  const other = new Map(Object.entries(others));
  const kept = Object.entries(fields).filter(
    ([field, value]) => value !== undefined && !isDeepStrictEqual(value, other.get(field)),
  );
  return kept.length > 0 ? (withoutSecrets(Object.fromEntries(kept)) as AuditFields) : undefined;
}

/** Names inside a field may be a customer's, as in metadata; they are hidden, since they must not fail the change. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, isSecretName(name) ? '[hidden]' : withoutSecrets(inner)]),
  );
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !NOT_SECRET.has(name);
}
