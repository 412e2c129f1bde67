import { ASSET_PREFIX, type Asset, type Assets, type Encoding } from './assets.ts';
import type { Context, Middleware } from '../context.ts';
import { AppError } from '../errors.ts';

/**
 * Serves the assets, each at an address with its content's hash, where browsers may keep it for good, and at its plain
 * name, where they ask each time. Only names that were found at the start exist, so no address leads anywhere else.
 */
export function staticFiles(assets: Assets): Middleware {
  return (ctx, next) => {
    if (!ctx.path.startsWith(ASSET_PREFIX)) return next();
    return serve(ctx, assets);
  };
}

const HASHED = /^(?<hash>[\w-]{16})\/(?<name>.+)$/;

async function serve(ctx: Context, assets: Assets): Promise<void> {
  if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
    throw new AppError(
      'method_not_allowed',
      { key: 'address_takes', values: { methods: 'GET, HEAD' } },
      { headers: { Allow: 'GET, HEAD' } },
    );
  }
  const wanted = ctx.path.slice(ASSET_PREFIX.length);
  const { hash, name = '' } = HASHED.exec(wanted)?.groups ?? {};
  const asset = assets.find(wanted) ?? assets.find(name);
  if (!asset) throw new AppError('not_found', 'nothing_here');
  // A page of an older release still names the old hash: it gets what there is, but must not keep it under that name.
  ctx.set('Cache-Control', hash === asset.hash ? 'public, max-age=31536000, immutable' : 'no-cache');
  await sendAsset(ctx, asset);
}

/** Answers with the asset, compressed where the caller takes that, or with 304 where the caller has it. */
export async function sendAsset(ctx: Context, asset: Asset): Promise<void> {
  ctx.type = asset.type;
  ctx.vary('Accept-Encoding');
  const encoding = ctx.acceptsEncodings('br', 'gzip', 'identity') as Encoding | 'identity' | false;
  const smaller = encoding === 'br' || encoding === 'gzip' ? asset.compressed(encoding) : undefined;
  // Each form of the content is a thing of its own to a cache.
  ctx.etag = smaller ? `${asset.hash}-${encoding}` : asset.hash;
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  if (smaller) ctx.set('Content-Encoding', String(encoding));
  ctx.body = (await smaller) ?? asset.body;
}
