import { createHash } from 'node:crypto';
import type { Db } from '../../db/connection/connect.ts';
import { findIdempotentAnswer, type IdempotentRequest } from '../../db/tables/idempotentRequests.ts';
import { principalOf, type Context, type Middleware } from '../context.ts';
import { AppError } from '../errors.ts';
import { readJson } from './body.ts';

declare module '../context.ts' {
  interface State {
    /** The request by the name that its caller gave it; undefined where it has none. */
    idempotentRequest?: IdempotentRequest;
  }
}

/** A marker in a route's stack: it makes something, and does so once for each `Idempotency-Key`. */
export type MakesMarker = Middleware & { makes: true };

/** The answer to a request, as it is kept and sent again. */
export interface KeptAnswer {
  status: number;
  /** `Location` and `ETag`. */
  headers: Record<string, string>;
  body: object;
}

/**
 * States that the route makes something. With `Idempotency-Key` it does so once: the same request again gets the kept
 * answer, and the name is free again where the request has failed. The handler answers by `answerMade`.
 */
export function makes(db: Db): MakesMarker {
  const once: Middleware = async (ctx, next) => {
    const name = idempotencyKeyOf(ctx);
    if (name === undefined) {
      await next();
      return;
    }
    const { id, tenant } = principalOf(ctx);
    // Without a body a request asks for as much as with an empty object.
    const asked = (await readJson(ctx)) ?? {};
    const content = [ctx.method, ctx.path, ctx.querystring, asked];
    const request = { id: requestId(tenant.id, id, name), contentHash: hashOf(content) };
    ctx.state.idempotentRequest = request;
    await runOnce(db, request, {
      run: next,
      replay: async (answer) => {
        ctx.set('Idempotency-Replayed', 'true');
        sendKept(ctx, answer as KeptAnswer);
      },
    });
  };
  return Object.assign(once, { makes: true as const });
}

/** The id of a request that this caller has given this name. */
export function requestId(tenantId: string, callerId: string, name: string): Buffer {
  return hashOf(['request', tenantId, callerId, name]);
}

/** Sends an answer that may be kept. */
export function sendKept(ctx: Context, { status, headers, body }: KeptAnswer): void {
  ctx.status = status;
  ctx.set(headers);
  ctx.body = body;
}

/** A form by the id that it was shown with, which its person sends once, to the organisation that its address names. */
export function idempotentFormRequest(ctx: Context, formId: string): IdempotentRequest {
  return { id: hashOf(['form', principalOf(ctx).id, formId]), contentHash: hashOf([ctx.method, ctx.path]) };
}

/** The requests of this process that are under way, for each database. */
const underWayByDatabase = new WeakMap<Db, Map<string, Promise<void>>>();

interface Attempt {
  run: () => Promise<void>;
  replay: (answer: unknown) => Promise<void>;
  /** Whether a request waits for the same one that is under way, rather than being refused. */
  waits?: boolean;
}

/**
 * Runs what makes something, or replays the kept answer of the same request. What runs inserts the request in its own
 * transaction, so that neither a failure nor the end of the process leaves the name taken.
 */
export async function runOnce(db: Db, request: IdempotentRequest, attempt: Attempt): Promise<void> {
  const underWay = underWayOf(db);
  const id = request.id.toString('base64');
  for (let earlier = underWay.get(id); earlier; earlier = underWay.get(id)) {
    if (!attempt.waits) throw inProgress();
    await earlier.catch(() => undefined);
  }
  const own = runOrReplay(db, request, attempt);
  underWay.set(id, own);
  try {
    await own;
  } finally {
    underWay.delete(id);
  }
}

/** The refusal of a request that is under way already. */
export function inProgress(): AppError {
  return new AppError('in_progress', 'in_progress', { headers: { 'Retry-After': '1' } });
}

async function runOrReplay(db: Db, request: IdempotentRequest, { run, replay }: Attempt): Promise<void> {
  const kept = await keptAnswer(db, request);
  if (kept !== undefined) return replay(kept);
  try {
    await run();
  } catch (error) {
    // Another process may have made it meanwhile, so that its name was taken or there was nothing left to do.
    const made = await keptAnswer(db, request).catch((later: unknown) => {
      throw later instanceof AppError ? later : error;
    });
    if (made === undefined) throw error;
    await replay(made);
  }
}

/** The answer to the same request before; undefined if it has made nothing. */
async function keptAnswer(db: Db, { id, contentHash }: IdempotentRequest): Promise<unknown> {
  const kept = await findIdempotentAnswer(db, id, Date.now());
  if (!kept) return undefined;
  if (!kept.contentHash.equals(contentHash)) throw new AppError('idempotency_mismatch');
  return JSON.parse(kept.answer) as unknown;
}

function underWayOf(db: Db): Map<string, Promise<void>> {
  const underWay = underWayByDatabase.get(db) ?? new Map<string, Promise<void>>();
  underWayByDatabase.set(db, underWay);
  return underWay;
}

function idempotencyKeyOf(ctx: Context): string | undefined {
  const names = ctx.req.headersDistinct['idempotency-key'];
  if (names === undefined) return undefined;
  const [name = '', another] = names;
  if (another !== undefined || !/^[\x20-\x7e]{1,255}$/.test(name)) throw new AppError('invalid_idempotency_key');
  return name;
}

function hashOf(content: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(content)).digest();
}
