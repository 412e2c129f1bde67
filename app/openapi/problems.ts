import { PROBLEMS, type ErrorCode } from '../errors.ts';
import type { Access } from '../http/access.ts';
import type { Input } from '../http/input.ts';
import type { Route } from '../http/table.ts';

/** The problems of every route behind `authenticate`. */
const CREDENTIAL: readonly ErrorCode[] = [
  'ambiguous_credentials',
  'tenant_required',
  'missing_credential',
  'invalid_key',
  'key_revoked',
  'key_expired',
  'key_paused',
  'invalid_token',
  'tenant_mismatch',
  'tenant_suspended',
  'password_change_required',
  'address_not_allowed',
  'policy_violation',
  'rate_limited',
  'quota_exceeded',
  'temporarily_unavailable',
];

const SUPPORT: readonly ErrorCode[] = ['ambiguous_credentials', 'missing_credential', 'invalid_login', 'rate_limited'];

const INPUT: Record<Input['from'], readonly ErrorCode[]> = {
  body: ['invalid_json', 'bad_request', 'body_too_large', 'unsupported_media_type', 'invalid_input'],
  form: ['bad_request', 'body_too_large', 'unsupported_media_type'],
  query: ['invalid_query'],
  lines: ['invalid_query', 'bad_request', 'body_too_large', 'unsupported_media_type'],
};

/** The problems of a request that a proxy asks about. */
const PROXIED: readonly ErrorCode[] = [
  'key_paused',
  'policy_violation',
  'ambiguous_credentials',
  'invalid_path',
  'proxy_request_incomplete',
  'missing_credential',
  'invalid_key',
  'key_revoked',
  'key_expired',
  'invalid_token',
  'tenant_mismatch',
  'tenant_suspended',
  'password_change_required',
  'address_not_allowed',
  'insufficient_scope',
  'no_matching_rule',
  'proxy_not_configured',
  'rate_limited',
  'quota_exceeded',
  'temporarily_unavailable',
];

/** Every problem that a route can answer, by status: what its access and its input imply, and what it states itself. */
export function problemsOf({ access, input, path, answers, ifMatch, makes }: Route): Map<number, ErrorCode[]> {
  const codes = new Set<ErrorCode>([
    ...impliedBy(access),
    ...(input ? INPUT[input.from] : []),
    ...(ifMatch ? (['bad_request', 'changed_meanwhile'] as const) : []),
    ...(makes ? (['invalid_idempotency_key', 'in_progress', 'idempotency_mismatch'] as const) : []),
    ...(path.includes(':') ? (['not_found'] as const) : []),
    ...answers.flatMap(({ problems }) => problems),
    'internal_error',
  ]);
  const byStatus = new Map<number, ErrorCode[]>();
  // In the order of the closed list, so that the same set is always written the same way.
  for (const code of Object.keys(PROBLEMS) as ErrorCode[]) {
    const status = statusOf(code, access);
    if (codes.has(code)) byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

/** The status that a problem is answered with; nginx hands on no refusal but 401 and 403. */
function statusOf(code: ErrorCode, access: Access): number {
  const [status] = PROBLEMS[code];
  const isForNginx = access.kind === 'proxy' && access.proxy === 'nginx';
  const isRewritten = isForNginx && status < 500 && status !== 401 && code !== 'proxy_request_incomplete';
  return isRewritten ? 403 : status;
}

function impliedBy(access: Access): readonly ErrorCode[] {
  switch (access.kind) {
    case 'public':
      return [];
    case 'basic':
      return SUPPORT;
    case 'anyone':
      return CREDENTIAL;
    case 'proxy':
      return PROXIED;
    case 'scope':
      return [...CREDENTIAL, 'insufficient_scope'];
    case 'permission': {
      const scope: readonly ErrorCode[] = access.keyScope === undefined ? [] : ['insufficient_scope'];
      return [...CREDENTIAL, 'insufficient_permission', ...scope];
    }
  }
}
