import type { ProblemKey } from '../domain/problem.ts';
import { AppError, type ErrorCode } from '../errors.ts';

/** A 401 with the challenge of RFC 6750: it names an error only where a credential was sent. */
export function unauthenticated(code: ErrorCode, problem: ProblemKey, cause?: unknown): AppError {
  const error = code === 'missing_credential' ? '' : ', error="invalid_token"';
  return new AppError(code, problem, {
    headers: { 'WWW-Authenticate': `Bearer realm="latchkey"${error}, ApiKey realm="latchkey"` },
    cause,
  });
}

/** A 403 that names the scope which would have opened the route. */
export function missingScope(scope: string): AppError {
  return new AppError(
    'insufficient_scope',
    { key: 'missing_scope', values: { scope } },
    {
      headers: { 'WWW-Authenticate': `Bearer realm="latchkey", error="insufficient_scope", scope="${scope}"` },
    },
  );
}
