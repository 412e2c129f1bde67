import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { MOST_RULES, type ForwardAuthRule } from './forwardAuthRules.ts';
import { readTypedPath } from './forwardedPath.ts';
import { normaliseAddress } from './network.ts';
import { problem, refuses, type Problem } from './problem.ts';
import { normaliseScope } from './scope.ts';

const LONGEST_PATH = 500;
const LONGEST_HOST = 253;
const LONGEST_SCOPE = 100;
const LONGEST_TRIED_PATH = 4_000;
const LONGEST_TRIED_KEY = 255;

const METHOD = /^(?:\*|[A-Z][A-Z-]{0,19})$/;
const HOST = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;
const PARAM = /^:[A-Za-z_]\w{0,39}$/;

/** A method as HTTP writes it; people may type it in lower case. */
export const RuleMethod = z
  .string()
  .overwrite((text) => text.trim().toUpperCase())
  .regex(METHOD, problem('must_be_method'));

/** The name of a host in its one spelling, without a port. */
export const RuleHost = z.string().max(LONGEST_HOST).overwrite(hostInOneSpelling).regex(HOST, problem('must_be_host'));

/** A pattern of paths in its one spelling. */
export const RulePath = z
  .string()
  .max(LONGEST_PATH)
  .check(refuses(patternFault))
  .overwrite((text) => {
    const read = readTypedPath(text);
    return 'path' in read ? withoutLastSlash(read.path) : text;
  });

const RuleScope = z
  .string()
  .max(LONGEST_SCOPE)
  .refine((text) => normaliseScope(text) !== undefined, problem('not_a_scope'))
  .overwrite((text) => normaliseScope(text) ?? text);

/** A rule as input; which scopes there are is asked when it is stored. */
export const ForwardAuthRuleInput = z
  .strictObject({
    host: RuleHost.optional().describe(
      'The host that the request is for, without a port; `*.example.com` stands for every name below it. Every host where it is left out.',
    ),
    method: RuleMethod.describe('The method, or `*` for every one. GET stands for HEAD too.'),
    path: RulePath.describe(
      'The path: `:name` stands for any one segment, and `*` as the last one for the path before it and all that is below. Upper and lower case differ; a slash at the end does not.',
    ),
    scope: RuleScope.optional().describe('The scope that a key or a person must hold.'),
    public: z.literal(true).optional().describe('Lets everybody in, without a credential; stands in place of a scope.'),
  })
  .check(
    refuses(({ scope, public: isPublic }) =>
      (scope === undefined) === (isPublic === undefined) ? { key: 'rule_takes_scope_or_public' } : undefined,
    ),
  )
  .meta({ examples: [{ method: 'GET', path: '/people/:id', scope: 'users:read' }] });

/** The rules as input: the first that is about a request decides, and where none is, it is refused. */
export const ForwardAuthRulesInput = z
  .strictObject({ rules: z.array(ForwardAuthRuleInput).max(MOST_RULES) })
  .meta({ examples: [{ rules: [{ method: 'GET', path: '/people/*', scope: 'users:read' }] }] });

/** A request to try the rules with; the key is judged in full, and nothing is counted. */
export const TrialInput = z
  .strictObject({
    method: z
      .string()
      .overwrite((text) => text.trim().toUpperCase())
      .regex(/^[A-Z][A-Z-]{0,19}$/, problem('must_be_one_method')),
    host: z
      .string()
      .max(LONGEST_HOST)
      .optional()
      .describe('The host of the request; rules for a host match no request without one.'),
    path: z.string().min(1).max(LONGEST_TRIED_PATH).describe('The path as a client sends it.'),
    key: z.string().max(LONGEST_TRIED_KEY).optional().describe('The text of a key; nothing is counted or recorded.'),
    ip: z
      .string()
      .refine((text) => normaliseAddress(text) !== undefined, problem('must_be_address'))
      .optional()
      .describe('The client’s address; without it the networks of key and tenant are not checked.'),
  })
  .meta({ id: 'ForwardAuthTrial', examples: [{ method: 'GET', path: '/people/42' }] });

/** The rules in the type that the rest of the code has of them. */
export function rulesIn({ rules }: z.output<typeof ForwardAuthRulesInput>): ForwardAuthRule[] {
  return rules.map(({ host, method, path, scope }) => ({
    ...(host !== undefined && { host }),
    method,
    path,
    ...(scope === undefined ? { public: true as const } : { scope }),
  }));
}

function patternFault(text: string): Problem | undefined {
  if (text.includes('?')) return { key: 'pattern_has_query' };
  const read = readTypedPath(text);
  if ('fault' in read) return { key: read.fault };
  const segments = read.path.split('/').slice(1);
  const named = segments.filter((segment) => segment.startsWith(':'));
  if (!named.every((segment) => PARAM.test(segment))) return { key: 'pattern_param_name' };
  const last = segments.at(-1) === '' ? segments.length - 2 : segments.length - 1;
  const starred = segments.some((segment, at) => segment.includes('*') && !(segment === '*' && at === last));
  return starred ? { key: 'pattern_star_not_last' } : undefined;
}

function withoutLastSlash(path: string): string {
  return path === '/' ? path : path.replace(/\/$/, '');
}

function hostInOneSpelling(text: string): string {
  const host = text.trim().toLowerCase();
  const below = host.startsWith('*.') ? '*.' : '';
  const name = host.slice(below.length);
  // What it cannot write in ASCII comes back empty, and is refused as it is.
  return /[^\0-\x7f]/.test(name) ? below + (domainToASCII(name) || name) : host;
}
