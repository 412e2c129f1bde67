import type { Access } from '../http/access.ts';
import type { Route } from '../http/table.ts';
import type { Json } from './schemas.ts';

/** The titles of the API's parts, in the order in which a new reader needs them; others follow by name. */
const TITLES: Readonly<Record<string, string>> = {
  auth: 'Signing in',
  whoami: 'Who am I',
  'api-keys': 'API keys',
  keys: 'Verifying keys',
  oauth: 'Token introspection',
  '.well-known': 'Authorization server metadata',
  'forward-auth': 'Forward auth',
  scopes: 'Scopes of the product',
  'audit-logs': 'Audit log',
  'security-center': 'Security center',
  billing: 'Billing',
  marketplace: 'Marketplace',
  support: 'Support tickets',
  builder: 'Builder drafts',
  tenants: 'Tenants',
  admin: 'Administration',
  health: 'Health',
  metrics: 'Metrics',
  'openapi.json': 'This document',
};

const ORDER = Object.values(TITLES);

/** The part of the API a path belongs to; the two prefixes are told apart, since what they ask of a caller differs. */
export function tagOf(path: string): string {
  const { prefix = '', part = '' } = /^(?<prefix>\/api\/v1|\/api)?\/(?<part>[^/]+)/.exec(path)?.groups ?? {};
  const title = TITLES[part] ?? titled(part);
  return prefix === '/api' && !UNPREFIXED.has(part) ? `${title}${OF_APPLICATION}` : title;
}

const OF_APPLICATION = ' · application API';

/** Subjects with routes below `/api` alone, whose tags need no prefix to tell two apart. */
const UNPREFIXED = new Set(['auth', 'health']);

/** The tags of these routes in their order, those of the application's API after those of the public one. */
export function describedTags(routes: readonly Route[]): Json[] {
  const byTag = new Map<string, Set<Access['kind']>>();
  for (const { path, access } of routes) {
    const tag = tagOf(path);
    byTag.set(tag, (byTag.get(tag) ?? new Set()).add(access.kind));
  }
  return [...byTag]
    .sort(([a], [b]) => inOrder(a, b))
    .map(([name, accesses]) => ({ name, description: descriptionOf(name, accesses) }));
}

function descriptionOf(tag: string, accesses: ReadonlySet<Access['kind']>): string {
  if ([...accesses].every((kind) => kind === 'public')) return 'Takes no credential, and is about no tenant.';
  if ([...accesses].every((kind) => kind === 'basic')) return 'For support staff, and about every tenant.';
  if (!tag.endsWith(OF_APPLICATION)) return 'The credential names its tenant.';
  return 'Below /api the caller names the tenant it acts for, in the header x-tenant-id.';
}

function inOrder(a: string, b: string): number {
  const [placeOfA, placeOfB] = [placeOf(a), placeOf(b)];
  return placeOfA - placeOfB || (a < b ? -1 : 1);
}

function placeOf(tag: string): number {
  const isOfApplication = tag.endsWith(OF_APPLICATION);
  const known = ORDER.indexOf(isOfApplication ? tag.slice(0, -OF_APPLICATION.length) : tag);
  return (known === -1 ? ORDER.length : known) + (isOfApplication ? 1_000 : 0);
}

function titled(part: string): string {
  const words = part.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
