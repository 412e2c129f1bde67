import type { Db } from '../../db/connection/connect.ts';
import { actionContext, type ActionContext } from '../actions/actionContext.ts';
import type { Context } from '../context.ts';
import { locationOf } from '../http/location.ts';
import { sendKept, type KeptAnswer } from '../http/idempotency.ts';

/** The answer to a request that has made something. */
interface MadeAnswer {
  /** Where it is, below the prefix; absent where the answer is a plain 200. */
  path?: `/${string}`;
  /** The version of what is answered. */
  version?: string;
  /** What may be seen again. */
  body: object;
  /** What is in the first answer alone and kept nowhere, and what replays say instead. */
  secret?: { fields: object; gone: string };
}

/**
 * Makes something by an action, and answers with it. Where the request has an `Idempotency-Key`, the action stores the
 * answer without its secrets in the same transaction, by `makeOnce`.
 */
export async function answerMade<Made>(
  ctx: Context,
  db: Db,
  make: (act: ActionContext) => Promise<Made>,
  present: (made: Made, act: ActionContext) => MadeAnswer | Promise<MadeAnswer>,
): Promise<void> {
  const act = actionContext(ctx, db);
  const { idempotentRequest: request } = ctx.state;
  if (request) {
    act.once = {
      request,
      answerTo: async (made, trx) => keptAnswer(ctx, await present(made as Made, { ...act, db: trx })),
      isKept: false,
    };
  }
  const made = await make(act);
  if (act.once?.isKept === false) throw new Error('an action has made something without makeOnce');
  const answer = await present(made, act);
  sendKept(ctx, firstAnswer(ctx, answer));
}

function firstAnswer(ctx: Context, { secret, ...answer }: MadeAnswer): KeptAnswer {
  const { status, headers, body } = keptAnswer(ctx, answer);
  return { status, headers, body: { ...body, ...secret?.fields } };
}

function keptAnswer(ctx: Context, { path, version, body, secret }: MadeAnswer): KeptAnswer {
  return {
    status: path === undefined ? 200 : 201,
    headers: {
      ...(path !== undefined && { Location: locationOf(ctx, path) }),
      ...(version !== undefined && { ETag: `"${version}"` }),
    },
    body: secret ? { ...body, message: secret.gone } : body,
  };
}
