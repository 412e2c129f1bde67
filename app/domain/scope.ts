/** Words that may stand before the resource (`read:users`), and so name no resource themselves. */
const VERBS = new Set(['read', 'write', 'delete', 'manage']);

/** Resources that the bare scope `read` leaves closed. */
const CLOSED_TO_READ = new Set([
  'admin',
  'users',
  'members',
  'modules',
  'settings',
  'webhooks',
  'api-keys',
  'platform',
]);

/** Resources that `admin:*` opens beside its own. */
const OPEN_TO_ADMIN = new Set(['users', 'modules', 'settings', 'webhooks']);

const WORD = /^[a-z][a-z0-9-]*$/;

/** Beyond these an answer is worked out each time, so that a caller who invents scopes cannot fill the memory. */
const REMEMBERED_ANSWERS = 128;
const REMEMBERED_LENGTH = 64;

/**
 * Reads a scope as written and gives its one spelling (`read:users` → `users:read`); undefined when it is no scope
 * at all. A verb is no resource, so `read:write` and `read:*` are refused instead of guessed at.
 */
export function normaliseScope(text: string): string | undefined {
  if (text === '*' || text === '*:*' || text === 'read') return text;
  const colon = text.indexOf(':');
  const first = text.slice(0, colon);
  const second = text.slice(colon + 1);
  if (colon < 0 || !WORD.test(first)) return undefined;
  if (VERBS.has(first)) return WORD.test(second) && !VERBS.has(second) ? `${second}:${first}` : undefined;
  return second === '*' || WORD.test(second) ? text : undefined;
}

/** The other spelling of a normalised scope, `read:users` of `users:read`; undefined where it has none. */
export function verbFirst(scope: string): string | undefined {
  const [resource = '', action = ''] = scope.split(':');
  return VERBS.has(action) ? `${action}:${resource}` : undefined;
}

/** Whether one granted scope opens what is required; false where either, as written, is no scope. */
export function covers(granted: string, required: string): boolean {
  const held = normaliseScope(granted);
  const wanted = normaliseScope(required);
  return held !== undefined && wanted !== undefined && coversNormalised(held, wanted);
}

/** The scope that another name stands for. */
type Meaning = (scope: string) => string;

/** The scopes of one key, ready to be asked about on every request. */
export class ScopeSet {
  /** Normalised, each once, in the order given. */
  readonly scopes: readonly string[];
  /** What these scopes stand for. */
  readonly meanings: readonly string[];
  /** The role that a key with these scopes acts in. */
  readonly role: ReturnType<typeof roleOfScopes>;
  readonly #meaningOf: Meaning;
  readonly #answers = new Map<string, boolean>();

  private constructor(scopes: readonly string[], meaningOf: Meaning) {
    this.scopes = scopes;
    this.meanings = scopes.map(meaningOf);
    this.role = roleOfScopes(this.meanings);
    this.#meaningOf = meaningOf;
  }

  /** Takes scopes as written, which stand for themselves unless told; a text that is no scope grants nothing. */
  static of(scopes: readonly string[], meaningOf: Meaning = (scope) => scope): ScopeSet {
    const normalised = scopes.map(normaliseScope).filter((scope) => scope !== undefined);
    return new ScopeSet([...new Set(normalised)], meaningOf);
  }

  /** Whether one of the scopes opens what is required: they are never added up. */
  covers(required: string): boolean {
    return this.#answers.get(required) ?? this.#answer(required);
  }

  /** Those of the required scopes that stay closed, spelt as they were asked for. */
  missing(required: readonly string[]): string[] {
    return required.filter((scope) => !this.covers(scope));
  }

  #answer(required: string): boolean {
    const wanted = normaliseScope(required);
    const meant = wanted === undefined ? undefined : this.#meaningOf(wanted);
    const answer = meant !== undefined && this.meanings.some((held) => coversNormalised(held, meant));
    if (required.length > REMEMBERED_LENGTH) return answer;
    // Starting over keeps what routes ask all day, which comes back with the next request, and drops the rest.
    if (this.#answers.size >= REMEMBERED_ANSWERS) this.#answers.clear();
    this.#answers.set(required, answer);
    return answer;
  }
}

/**
 * The role a key acts in: OWNER with a scope that opens all of administration to change (`*`, `*:*`, `admin:*`,
 * `admin:write`), MEMBER with anything else. Looking on (`admin:read`) or serving the platform makes no owner.
 */
export function roleOfScopes(scopes: readonly string[]): 'OWNER' | 'MEMBER' {
  return scopes.some((scope) => covers(scope, 'admin:write')) ? 'OWNER' : 'MEMBER';
}

function coversNormalised(held: string, wanted: string): boolean {
  if (held === wanted) return true;
  const [resource = '', action] = wanted.split(':');
  if (held === '*' || held === '*:*') return resource !== 'platform';
  if (held === 'read') return action === 'read' && !CLOSED_TO_READ.has(resource);
  if (held === `${resource}:*`) return true;
  if (held === `${resource}:write`) return action === 'read';
  return held === 'admin:*' && OPEN_TO_ADMIN.has(resource);
}
