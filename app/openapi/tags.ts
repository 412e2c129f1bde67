import type { Json } from './schemas.ts';

/** What the parts of the API are called, in the order in which somebody new wants them; others follow by name. */
const TITLES: Readonly<Record<string, string>> = {
  auth: 'Signing in',
  whoami: 'Who am I',
  'api-keys': 'API keys',
  keys: 'Verifying keys',
  oauth: 'Token introspection',
  'forward-auth': 'Forward auth',
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

/** Only below `/api`, so that there is nothing to be told apart from. */
const UNPREFIXED = new Set(['auth', 'health']);

/** The tags in their order, those of the application's API after those of the public one. */
export function describedTags(tags: ReadonlySet<string>): Json[] {
  return [...tags].sort(inOrder).map((name) => ({
    name,
    description: name.endsWith(OF_APPLICATION)
      ? 'Below /api the caller names the tenant it acts for, in the header x-tenant-id.'
      : 'The credential names its tenant.',
  }));
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
