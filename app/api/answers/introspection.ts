import { z } from 'zod';
import type { Verdict } from '../../auth/verifyKeys.ts';
import type { AppError } from '../../errors.ts';
import { textsIn } from '../../locales/texts.ts';

const Inactive = z.strictObject({ active: z.literal(false) });

const Active = z.strictObject({
  active: z.literal(true),
  scope: z.string().describe('The scopes of the key, with spaces between them.'),
  client_id: z.string().describe('The key’s id.'),
  sub: z
    .string()
    .describe('The id of the person that the key belongs to; of the key itself, where that is its tenant’s.'),
  iat: z.int().describe('When the key was made, in epoch seconds.'),
  exp: z.int().optional().describe('When the key stops working by itself, in epoch seconds; absent for never.'),
  token_type: z.literal('Bearer'),
  tenant_id: z.string().describe('The tenant that the key belongs to.'),
});

/** What RFC 7662 has of a key; of one that is not good nothing but that, whatever the reason. */
export const IntrospectionAnswer = z.union([Active, Inactive]).meta({
  id: 'Introspection',
  examples: [
    {
      active: true,
      scope: 'invoices:read',
      client_id: '0198c0de-7a11-7abc-8def-0123456789ab',
      sub: '0198c0de-7a11-7abc-8def-0123456789ab',
      iat: 1_769_860_800,
      token_type: 'Bearer',
      tenant_id: '0198c0de-7a11-7abc-8def-0123456789ac',
    },
  ],
});

/** A refusal as RFC 6749 has it. */
export const OAuthErrorAnswer = z
  .strictObject({ error: z.string(), error_description: z.string() })
  .meta({ id: 'OAuthError', examples: [{ error: 'invalid_request', error_description: 'Bad request' }] });

/** What RFC 8414 has of a server that only introspects. */
export const MetadataAnswer = z
  .strictObject({
    issuer: z.url(),
    introspection_endpoint: z.url(),
    introspection_endpoint_auth_methods_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
    service_documentation: z.url(),
  })
  .meta({
    id: 'AuthorizationServerMetadata',
    examples: [presentMetadata('https://keys.example.com', '/oauth/introspect')],
  });

export function presentIntrospection({ code, key }: Verdict): z.output<typeof IntrospectionAnswer> {
  if (code !== 'valid' || !key) return { active: false };
  const { expiresAt } = key.bounds;
  return {
    active: true,
    scope: key.scopes.scopes.join(' '),
    client_id: key.id,
    sub: key.owner?.id ?? key.id,
    iat: Math.floor(key.createdAt / 1000),
    ...(expiresAt !== null && { exp: Math.floor(expiresAt / 1000) }),
    token_type: 'Bearer',
    tenant_id: key.tenant.id,
  };
}

export function presentMetadata(issuer: string, endpoint: string) {
  return {
    issuer,
    introspection_endpoint: issuer + endpoint,
    // The name that RFC 8414 has for a credential in `Authorization: Bearer`.
    introspection_endpoint_auth_methods_supported: ['Bearer'],
    response_types_supported: [],
    grant_types_supported: [],
    service_documentation: `${issuer}/docs`,
  };
}

/** Says in English what is wrong; a code of ours stands where the RFC has none. */
export function presentOAuthError({
  code,
  status,
  title,
  problem,
  errors,
}: AppError): z.output<typeof OAuthErrorAnswer> {
  const { problemText } = textsIn('en');
  const [field] = errors ?? [];
  const text = field ? `${field.path}: ${problemText(field.problem)}` : problemText(problem);
  return { error: oauthCode(code, status), error_description: DESCRIPTION.test(text) ? text : title };
}

/** What RFC 6749 takes as a description; titles are such. */
const DESCRIPTION = /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/;

function oauthCode(code: AppError['code'], status: number): string {
  if (code === 'missing_credential') return 'invalid_client';
  if (status === 401) return 'invalid_token';
  return status === 400 || status === 413 || status === 415 ? 'invalid_request' : code;
}
