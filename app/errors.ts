import type { Problem, ProblemKey } from './domain/problem.ts';
import { isUnavailable } from '../db/connection/faults.ts';

/** The closed list of what can go wrong for a caller: code → status and title. Anything else is a logged 500. */
export const PROBLEMS = {
  ambiguous_credentials: [400, 'More than one credential'],
  tenant_required: [400, 'Tenant required'],
  invalid_json: [400, 'Body is not JSON'],
  invalid_query: [400, 'Invalid query'],
  invalid_idempotency_key: [400, 'Invalid Idempotency-Key'],
  bad_request: [400, 'Bad request'],
  invalid_path: [400, 'Path not accepted'],
  proxy_request_incomplete: [400, 'Proxy said too little'],
  missing_credential: [401, 'Credential required'],
  invalid_key: [401, 'Invalid API key'],
  key_revoked: [401, 'API key revoked'],
  key_expired: [401, 'API key expired'],
  key_paused: [401, 'API key paused'],
  invalid_token: [401, 'Invalid token'],
  invalid_login: [401, 'Wrong email or password'],
  tenant_mismatch: [403, 'Another tenant'],
  tenant_suspended: [403, 'Tenant suspended'],
  password_change_required: [403, 'New password required'],
  address_not_allowed: [403, 'Address not allowed'],
  policy_violation: [403, 'Key breaks the policy'],
  invalid_signature: [403, 'Invalid signature'],
  form_refused: [403, 'Form not accepted'],
  insufficient_scope: [403, 'Missing scope'],
  insufficient_permission: [403, 'Missing permission'],
  no_matching_rule: [403, 'No rule for this request'],
  proxy_not_configured: [403, 'Not a configured proxy'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  already_rotated: [409, 'Already rotated'],
  key_not_active: [409, 'Key is not active'],
  plan_limit: [409, 'Limit of the plan reached'],
  in_progress: [409, 'In progress'],
  conflict: [409, 'Conflict'],
  scopes_in_use: [409, 'Scopes in use'],
  managed_by_file: [409, 'Managed by a file'],
  changed_meanwhile: [412, 'Changed meanwhile'],
  body_too_large: [413, 'Body too large'],
  unsupported_media_type: [415, 'Unsupported media type'],
  idempotency_mismatch: [422, 'Another request of the same name'],
  invalid_input: [422, 'Invalid input'],
  rate_limited: [429, 'Too many requests'],
  quota_exceeded: [429, 'Quota spent'],
  internal_error: [500, 'Internal error'],
  temporarily_unavailable: [503, 'Temporarily unavailable'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ErrorCode = keyof typeof PROBLEMS;

/** What is wrong with one field, in the order of the input. */
export interface FieldError {
  path: string;
  problem: Problem;
}

interface Extra {
  headers?: Record<string, string>;
  errors?: FieldError[];
  cause?: unknown;
}

/** A refusal that the caller may read, translated by the catalogue; its cause is only for the log. */
export class AppError extends Error {
  override name = 'AppError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly title: string;
  readonly problem: Problem;
  readonly headers: Record<string, string>;
  readonly errors: FieldError[] | undefined;

  constructor(code: ErrorCode, problem: ProblemKey | Problem = code, { headers = {}, errors, cause }: Extra = {}) {
    const [status, title] = PROBLEMS[code];
    const told = typeof problem === 'string' ? { key: problem } : problem;
    super(told.key, { cause });
    this.code = code;
    this.status = status;
    this.title = title;
    this.problem = told;
    this.headers = headers;
    this.errors = errors;
  }
}

/** The 422 of a field that is well-formed but whose value is not allowed. */
export function invalidField(path: string, problem: ProblemKey | Problem): AppError {
  return new AppError('invalid_input', 'body_fields_wrong', {
    errors: [{ path, problem: typeof problem === 'string' ? { key: problem } : problem }],
  });
}

/** The refusal of a request that a dependency's trouble keeps from being decided: never 401, never 200. */
export function unavailable(cause?: unknown): AppError {
  return new AppError('temporarily_unavailable', 'service_unavailable', {
    headers: { 'Retry-After': '1' },
    cause,
  });
}

/** The answer to any error: AppErrors and exposed http-errors as they are, all others as a 500. */
export function problemOf(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isUnavailable(error)) return unavailable(error);
  const status = isHttpError(error) && error.expose ? error.status : 500;
  if (status === 413) return new AppError('body_too_large');
  if (status === 415) return new AppError('unsupported_media_type');
  if (status === 404) return new AppError('not_found');
  if (status >= 400 && status < 500) return new AppError('bad_request');
  return new AppError('internal_error', 'internal_error', {
    cause: error,
  });
}

function isHttpError(error: unknown): error is { status: number; expose: boolean } {
  return error instanceof Error && 'expose' in error && 'status' in error && typeof error.status === 'number';
}
