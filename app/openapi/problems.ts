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
  'invalid_token',
  'tenant_mismatch',
  'tenant_suspended',
  'password_change_required',
  'address_not_allowed',
  'rate_limited',
  'quota_exceeded',
  'temporarily_unavailable',
];

const SUPPORT: readonly ErrorCode[] = ['ambiguous_credentials', 'missing_credential', 'invalid_login', 'rate_limited'];

const INPUT: Record<Input['from'], readonly ErrorCode[]> = {
  body: ['invalid_json', 'bad_request', 'body_too_large', 'unsupported_media_type', 'invalid_input'],
  form: ['bad_request', 'body_too_large', 'unsupported_media_type'],
  query: ['invalid_query'],
};

/** Every problem that a route can answer, by status: what its access and its input imply, and what it states itself. */
export function problemsOf({ access, input, path, answers, ifMatch }: Route): Map<number, ErrorCode[]> {
  const codes = new Set<ErrorCode>([
    ...impliedBy(access),
    ...(input ? INPUT[input.from] : []),
    ...(ifMatch ? (['bad_request', 'changed_meanwhile'] as const) : []),
    ...(path.includes(':') ? (['not_found'] as const) : []),
    ...answers.flatMap(({ problems }) => problems),
    'internal_error',
  ]);
  const byStatus = new Map<number, ErrorCode[]>();
  // In the order of the closed list, so that the same set is always written the same way.
  for (const code of Object.keys(PROBLEMS) as ErrorCode[]) {
    const [status] = PROBLEMS[code];
    if (codes.has(code)) byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

function impliedBy(access: Access): readonly ErrorCode[] {
  switch (access.kind) {
    case 'public':
      return [];
    case 'basic':
      return SUPPORT;
    case 'anyone':
      return CREDENTIAL;
    case 'scope':
      return [...CREDENTIAL, 'insufficient_scope'];
    case 'permission': {
      const scope: readonly ErrorCode[] = access.keyScope === undefined ? [] : ['insufficient_scope'];
      return [...CREDENTIAL, 'insufficient_permission', ...scope];
    }
  }
}
