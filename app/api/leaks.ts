import { createHash } from 'node:crypto';
import Router from '@koa/router';
import { z } from 'zod';
import { originOf } from '../actions/actionContext.ts';
import type { LeakFinding } from '../actions/keys/reportLeak.ts';
import { githubKeys, type FindGithubKey } from '../auth/githubKeys.ts';
import type { Context, State } from '../context.ts';
import { isSignedBy } from '../domain/githubKeySet.ts';
import { problem } from '../domain/problem.ts';
import { AppError } from '../errors.ts';
import type { Services } from '../services.ts';
import { delay, waitAtMost } from '../timing.ts';
import { open } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { parseJson, readBytes } from '../http/body.ts';
import { body, parsed, type InputHandler } from '../http/input.ts';
import { ROUTER } from '../http/router.ts';
import { loggedText } from './verifiedKeyUse.ts';

/** Every report is answered after this long, so that the time tells nothing about the keys. */
const ANSWERED_AFTER_MS = 250;
/** How long GitHub is kept waiting for what is done about the keys it found; the rest goes on after the answer. */
const GITHUB_WAITS_MS = 8_000;
/** GitHub says that a message can have many matches. */
const GITHUB_BODY_BYTES = 1024 * 1024;
const MOST_KEYS = 100;
const MOST_MATCHES = 10_000;

const LeakedKeys = z
  .strictObject({
    keys: z.array(z.string()).min(1).max(MOST_KEYS).describe('The texts of the keys.'),
    url: z
      .url({ protocol: /^https?$/, error: problem('must_be_web_address') })
      .max(2_000)
      .optional(),
  })
  .meta({ examples: [{ keys: ['fsk_live_0123456789'], url: 'https://paste.example.com/1042' }] });

const ReceivedAnswer = z.strictObject({ message: z.literal('Report received') });

/** Fields that GitHub may add are ignored. */
const GithubMatches = z
  .array(
    z.object({
      token: z.string().min(1).max(1_000),
      type: z.string().max(200),
      url: z.string().nullish(),
      source: z.string().nullish(),
    }),
  )
  .min(1)
  .max(MOST_MATCHES)
  .meta({
    examples: [[{ token: 'fsk_live_0123456789', type: 'latchkey_api_key', url: '', source: 'content' }]],
  });

const FeedbackAnswer = z.array(
  z.strictObject({
    token_hash: z.string().describe('The SHA-256 of the token, in hexadecimal.'),
    token_type: z.string(),
    label: z.enum(['true_positive', 'false_positive']),
  }),
);

/** Reports of leaked keys, from whoever holds one; what becomes of the keys is never told. */
export function leakReportRoutes({ config, leaks }: Pick<Services, 'config' | 'leaks'>): Router<State> {
  return new Router<State>(ROUTER).post(
    '/keys/report-leak',
    open(),
    answers(202, ReceivedAnswer, 'Takes the texts of leaked keys; the answer is the same whatever they are.', [
      'rate_limited',
      'temporarily_unavailable',
    ]),
    body(LeakedKeys, async (ctx, { keys, url }) => {
      const answerAt = delay(ANSWERED_AFTER_MS);
      const finding = {
        source: 'report',
        url: loggedText(url, config.keys.prefix),
        foundIn: null,
        delivery: null,
      } as const;
      const texts = [...new Set(keys.map((text) => text.trim()))];
      await leaks.take(
        originOf(ctx),
        texts.map((text) => ({ text, finding })),
      );
      await answerAt;
      ctx.status = 202;
      ctx.body = { message: 'Report received' } satisfies z.output<typeof ReceivedAnswer>;
    }),
  );
}

/** What GitHub's secret scanning sends to the services whose keys it finds, in the form of its partner program. */
export function githubSecretScanningRoutes(
  { config, leaks }: Pick<Services, 'config' | 'leaks'>,
  keySet: NonNullable<Services['config']['githubKeys']>,
): Router<State> {
  const findKey = githubKeys(keySet);
  const receive = async (ctx: Context): Promise<void> => {
    const { bytes } = await readBytes(ctx, ['application/json'], GITHUB_BODY_BYTES);
    await refuseUnsigned(ctx, bytes, findKey);
    const matches = parsed(GithubMatches, parseJson(bytes), 'invalid_input', 'body_fields_wrong');
    const delivery = createHash('sha256').update(bytes).digest();
    const leaked = matches.map(({ token, url, source }) => ({
      text: token,
      finding: {
        source: 'github',
        url: loggedText(url ?? undefined, config.keys.prefix),
        foundIn: placeOf(source),
        delivery,
      } satisfies LeakFinding,
    }));
    const { known, done } = await leaks.take(originOf(ctx), leaked);
    await waitAtMost(GITHUB_WAITS_MS, done);
    ctx.body = matches.map(({ token, type }, place) => ({
      token_hash: createHash('sha256').update(token).digest('hex'),
      token_type: type,
      label: known[place] ? 'true_positive' : 'false_positive',
    })) satisfies z.output<typeof FeedbackAnswer>;
  };
  const handler: InputHandler = Object.assign(receive, { input: { from: 'body' as const, schema: GithubMatches } });
  return new Router<State>(ROUTER).post(
    '/secret-scanning/github',
    open(),
    answers(
      200,
      FeedbackAnswer,
      'Takes what GitHub’s secret scanning found, signed by GitHub, and says which of it are keys.',
      ['invalid_signature', 'rate_limited', 'temporarily_unavailable'],
    ),
    handler,
  );
}

/** Refuses a body that GitHub did not sign, before anything of it is read. */
async function refuseUnsigned(ctx: Context, bytes: Buffer, findKey: FindGithubKey): Promise<void> {
  const identifier = ctx.get('Github-Public-Key-Identifier');
  const signature = ctx.get('Github-Public-Key-Signature');
  const key = identifier === '' || signature === '' ? undefined : await findKey(identifier);
  if (!key || !isSignedBy(key, bytes, signature)) throw new AppError('invalid_signature', 'not_signed_by_github');
}

/** GitHub names the kinds of places in words such as `pull_request_comment`. */
function placeOf(source: string | null | undefined): string | null {
  return source && /^[a-z_]{1,40}$/.test(source) ? source : null;
}
