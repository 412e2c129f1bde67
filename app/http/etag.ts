import { createHash } from 'node:crypto';
import type { Context, Middleware } from '../context.ts';
import { AppError } from '../errors.ts';

/** The versions of an object that a change accepts: any, or one of those listed. */
export type ExpectedVersions = '*' | readonly string[];

declare module '../context.ts' {
  interface State {
    /** What `If-Match` names; undefined where the request has none. */
    expectedVersions?: ExpectedVersions | undefined;
  }
}

/** A marker in a route's stack: its answers carry `ETag`, or it takes `If-Match`. */
export type VersionMarker = Middleware & { versioned: 'etag' | 'if_match' };

/** States that the route's good answers carry `ETag`; the handler sets it by `setEtag`. */
export function showsEtag(): VersionMarker {
  const pass: Middleware = (_ctx, next) => next();
  return Object.assign(pass, { onlyStates: true as const, versioned: 'etag' as const });
}

/** States that the route takes `If-Match`; its action compares the versions by `refuseChanged`, under the row's lock. */
export function takesIfMatch(): VersionMarker {
  const read: Middleware = (ctx, next) => {
    ctx.state.expectedVersions = expectedVersionsOf(ctx);
    return next();
  };
  return Object.assign(read, { versioned: 'if_match' as const });
}

/** The version of an object: the same for the same content, whatever the order of its fields. */
export function versionOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content, inOrder)).digest('base64url').slice(0, 22);
}

/** Sets the `ETag` of the object that is answered. */
export function setEtag(ctx: Context, version: string): void {
  ctx.set('ETag', `"${version}"`);
}

/** Refuses a change of an object that has another version than the caller expects; without an expectation none is refused. */
export function refuseChanged(expected: ExpectedVersions | undefined, version: string): void {
  if (expected === undefined || expected === '*' || expected.includes(version)) return;
  throw new AppError('changed_meanwhile');
}

const TAG = /^(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;

/**
 * The versions in `If-Match`. A weak tag counts as the strong one, since we send no weak ones: a proxy that compresses has
 * made it so.
 */
function expectedVersionsOf(ctx: Context): ExpectedVersions | undefined {
  const header = ctx.req.headers['if-match'];
  if (header === undefined) return undefined;
  if (header.trim() === '*') return '*';
  return header.split(',').map((part) => {
    const [, tag] = TAG.exec(part.trim()) ?? [];
    if (tag === undefined) throw new AppError('bad_request', 'if_match_malformed');
    return tag;
  });
}

function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
