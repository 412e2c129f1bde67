import { mismatchOf, type ForwardAuthRule } from '../domain/forwardAuthRules.ts';
import { readTypedPath, type PathFault } from '../domain/forwardedPath.ts';
import { PROBLEMS, type ErrorCode } from '../errors.ts';
import { hostOf } from '../http/proxiedRequest.ts';
import type { Limits } from '../limits/limits.ts';
import { ruleSetOf } from './forwardAuthRules.ts';
import type { KeyTexts } from './keyTexts.ts';
import type { FoundKey, Lookup } from './lookup.ts';
import { verifyKeys, type Verdict, type VerdictCode } from './verifyKeys.ts';

/** A request that somebody wants to know the rules' answer to. */
export interface Trial {
  method: string;
  host?: string | undefined;
  /** As a client sends it, with or without a query. */
  path: string;
  key?: string | undefined;
  /** The client's address; without it no networks are checked. */
  ip?: string | undefined;
}

/** What a proxy would be told of the request, and how that came. */
export interface TrialOutcome {
  code: 'allowed' | ErrorCode;
  status: number;
  /** The path in its one spelling, or why it has none. */
  path: { path: string } | { fault: PathFault };
  /** The rule that decides, by its place. */
  match?: { place: number; rule: ForwardAuthRule };
  /** The rules before it, and what in each is not about the request. */
  passedOver: { place: number; because: 'host' | 'method' | 'path' }[];
  /** The key that would be let through. */
  key?: FoundKey;
}

interface Parts {
  lookup: Pick<Lookup, 'keys' | 'settings' | 'catalogue'>;
  limits: Pick<Limits, 'countKey' | 'peekKey' | 'quotas'>;
  keyTexts: KeyTexts;
}

/** Says what the rules of this moment make of a request; nothing is counted or recorded. */
export async function tryRequest(parts: Parts, trial: Trial): Promise<TrialOutcome> {
  const path = readTypedPath(trial.path);
  if ('fault' in path) return { ...refusedBy('invalid_path'), path, passedOver: [] };
  const { rules } = ruleSetOf((await parts.lookup.settings()).forward_auth_rules);
  const request = { method: trial.method, host: hostOf(trial.host ?? ''), path: path.path };
  const passedOver: TrialOutcome['passedOver'] = [];
  for (const [place, rule] of rules.entries()) {
    const because = mismatchOf(rule, request);
    if (because === undefined)
      return { ...(await demanded(parts, rule, trial)), path, match: { place, rule }, passedOver };
    passedOver.push({ place, because });
  }
  return { ...refusedBy('no_matching_rule'), path, passedOver };
}

type Answer = Pick<TrialOutcome, 'code' | 'status' | 'key'>;

async function demanded(parts: Parts, rule: ForwardAuthRule, { key, ip }: Trial): Promise<Answer> {
  if ('public' in rule) return { code: 'allowed', status: 200 };
  if (key === undefined) return refusedBy('missing_credential');
  const question = { key, ip, scopes: [rule.scope], cost: 1, counting: 'look' as const };
  const [verdict] = await verifyKeys(parts, undefined, [question]);
  if (!verdict) throw new Error('a question was left without a verdict');
  if (verdict.code === 'valid') return allowed(verdict);
  return refusedBy(verdict.fault === 'tenant_suspended' ? 'tenant_suspended' : CODES[verdict.code]);
}

function allowed({ key }: Verdict): Answer {
  return { code: 'allowed', status: 200, ...(key && { key }) };
}

function refusedBy(code: ErrorCode): Answer {
  return { code, status: PROBLEMS[code][0] };
}

/** What a request is refused with whose key was judged so. */
const CODES: Readonly<Record<Exclude<VerdictCode, 'valid'>, ErrorCode>> = {
  not_found: 'invalid_key',
  tenant_mismatch: 'tenant_mismatch',
  revoked: 'key_revoked',
  expired: 'key_expired',
  paused: 'key_paused',
  policy_violation: 'policy_violation',
  address_not_allowed: 'address_not_allowed',
  insufficient_scope: 'insufficient_scope',
  rate_limited: 'rate_limited',
  quota_exceeded: 'quota_exceeded',
};
