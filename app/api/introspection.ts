import Router from '@koa/router';
import { z } from 'zod';
import { verifyKeys } from '../auth/verifyKeys.ts';
import type { Middleware, State } from '../context.ts';
import { problem } from '../domain/problem.ts';
import { problemOf, type AppError } from '../errors.ts';
import { open } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { form } from '../http/input.ts';
import { ROUTER } from '../http/router.ts';
import type { Services } from '../services.ts';
import {
  IntrospectionAnswer,
  MetadataAnswer,
  OAuthErrorAnswer,
  presentIntrospection,
  presentMetadata,
  presentOAuthError,
} from './answers/introspection.ts';
import { useOfVerdict } from './verifiedKeyUse.ts';
import { verifiableTenant, verifying } from './verifyKeys.ts';

const ENDPOINT = '/oauth/introspect';

/** What RFC 7662 takes. Fields that nobody knows are ignored, but not a second way to say who calls. */
const Introspection = z
  .object({
    token: z.string().min(1).describe('The text of a key.'),
    token_type_hint: z.string().optional().describe('Ignored, since there is one kind of token.'),
    client_secret: z
      .never(problem('credential_in_header'))
      .optional()
      .describe('Refused: the credential stands in the header.'),
    client_assertion: z
      .never(problem('credential_in_header'))
      .optional()
      .describe('Refused: the credential stands in the header.'),
  })
  .meta({ examples: [{ token: 'fsk_live_0123456789ABCDEFGHIJKLMNOPQRSTUV' }] });

const refused = (status: number, what: string) => answers(status, OAuthErrorAnswer, what);

/** Whether a key is good, as RFC 7662 asks it; neither the limit nor the quota of the key is counted. */
export function introspectionRoutes({
  lookup,
  limits,
  keyTexts,
  usage,
}: Pick<Services, 'lookup' | 'limits' | 'keyTexts' | 'usage'>): Router<State> {
  const parts = { lookup, limits, keyTexts };
  return new Router<State>(ROUTER).post(
    ENDPOINT,
    verifying(),
    answers(
      200,
      IntrospectionAnswer,
      'Says whether a key is good, as RFC 7662 has it; spends neither limit nor quota.',
    ),
    refused(400, 'Not one token, or more than one credential.'),
    refused(401, 'No credential, or one that is not good.'),
    refused(403, 'The credential does not open this.'),
    refused(413, 'Body too large.'),
    refused(415, 'Not a form.'),
    refused(429, 'Too many requests.'),
    form(Introspection, async (ctx, { token }) => {
      const [verdict] = await verifyKeys(parts, verifiableTenant(ctx), [{ key: token, cost: 1, counting: 'nothing' }]);
      if (!verdict) throw new Error('a question was left without a verdict');
      const use = useOfVerdict(ctx, verdict, {
        method: 'INTROSPECT',
        endpoint: ENDPOINT,
        scope: null,
        ip: null,
        userAgent: null,
      });
      if (use) ctx.state.usesWritten = usage.record(use);
      ctx.body = presentIntrospection(verdict);
    }),
  );
}

/** Where a client finds the endpoint (RFC 8414); it issues no tokens, so it names no way to get one. */
export function authorizationServerRoutes({ config }: Pick<Services, 'config'>): Router<State> {
  return new Router<State>(ROUTER).get(
    '/.well-known/oauth-authorization-server',
    open(),
    answers(200, MetadataAnswer, 'Says where to introspect keys, as RFC 8414 has it.'),
    async (ctx) => {
      ctx.body = presentMetadata(config.publicUrl, ENDPOINT);
    },
  );
}

/** Answers refusals as RFC 6749 has them; faults of ours are left to who answers those everywhere. */
export const oauthErrors: Middleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    const refusal: AppError = problemOf(error);
    if (refusal.status >= 500) throw error;
    ctx.status = refusal.status;
    ctx.set(refusal.headers);
    ctx.body = presentOAuthError(refusal);
  }
};
