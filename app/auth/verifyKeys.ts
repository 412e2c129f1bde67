import { isAddressAllowed, keyFault, type KeyFault } from '../domain/keyFault.ts';
import { keyStatus } from '../domain/keyStatus.ts';
import { BUILT_IN, type ScopeCatalogue } from '../domain/scopeCatalogue.ts';
import type { Count } from '../limits/count.ts';
import type { Limits } from '../limits/limits.ts';
import type { QuotaCount } from '../limits/quota.ts';
import { reachOfKey } from './apiKey.ts';
import { holdsScope } from './authority.ts';
import type { KeyTexts } from './keyTexts.ts';
import type { FoundKey, FoundKeys, Lookup } from './lookup.ts';
import { isNamed } from './tenant.ts';

/** The closed list of what may be said of a key. */
export const VERDICT_CODES = [
  'valid',
  'not_found',
  'tenant_mismatch',
  'revoked',
  'expired',
  'paused',
  'policy_violation',
  'address_not_allowed',
  'insufficient_scope',
  'rate_limited',
  'quota_exceeded',
] as const;
export type VerdictCode = (typeof VERDICT_CODES)[number];

/** The checks in their order; the first that fails decides. */
export const CHECKS = ['format', 'existence', 'tenant', 'state', 'address', 'scopes', 'limit', 'quota'] as const;
export type Check = (typeof CHECKS)[number];

/** One check as it went, with what it looked at; one that nothing was asked of is skipped. */
export interface TraceStep {
  check: Check;
  outcome: 'passed' | 'failed' | 'skipped';
  saw: Record<string, string | number | boolean | null | string[]>;
}

/** What is asked about a key. */
export interface AskedKey {
  key: string;
  tenantId?: string | undefined;
  scopes?: readonly string[] | undefined;
  anyScopes?: readonly string[] | undefined;
  ip?: string | undefined;
  cost: number;
  /** What becomes of the key's limit and quota: they are spent, looked at, or left alone. */
  counting: 'spend' | 'look' | 'nothing';
}

export interface Verdict {
  code: VerdictCode;
  /** Absent where the caller learns nothing of the key. */
  key?: FoundKey;
  /** What keeps the key from being used for anything. */
  fault?: KeyFault;
  missingScopes?: string[];
  limit?: Count;
  quota?: QuotaCount;
  /** Each check with what it saw; for a `dryRun` alone, which counts nothing. */
  trace?: TraceStep[];
}

interface Parts {
  lookup: Pick<Lookup, 'keys' | 'catalogue'>;
  limits: Pick<Limits, 'countKey' | 'peekKey' | 'quotas'>;
  keyTexts: Pick<KeyTexts, 'hashOf'>;
}

/** A suspended tenant's keys work again when it is let back in, as paused ones do when they are resumed. */
const CODES: Readonly<Record<KeyFault, VerdictCode>> = {
  revoked: 'revoked',
  expired: 'expired',
  paused: 'paused',
  owner_has_no_access: 'revoked',
  unused_too_long: 'expired',
  tenant_suspended: 'paused',
  breaks_policy: 'policy_violation',
};

/**
 * Judges keys for whoever they were shown to, in the order of the questions: as `authenticate` judges the key of a request,
 * with the same counters. `tenantId` is the only tenant whose keys the caller may know of, undefined for all.
 */
export async function verifyKeys(
  parts: Parts,
  tenantId: string | undefined,
  questions: readonly AskedKey[],
): Promise<Verdict[]> {
  const hashes = questions.map(({ key }) => parts.keyTexts.hashOf(key));
  const asked = hashes.filter((hash) => hash !== undefined);
  // Both are asked in one turn, so that they are one query. A text that is no key of ours never reaches the database.
  const [catalogue, keys] = await Promise.all([
    questions.some(asksForScopes) ? parts.lookup.catalogue() : BUILT_IN,
    asked.length > 0 ? parts.lookup.keys(asked) : NO_KEYS,
  ]);
  const now = Date.now();
  const verdicts = questions.map((question, place) => {
    const hash = hashes[place];
    const found = hash === undefined ? 'malformed' : keys.key(hash);
    return verdictOn(parts, { question, tenantId, now, catalogue }, found);
  });
  const known = verdicts.filter(isKnown);
  return known.length === verdicts.length ? known : Promise.all(verdicts.map(async (verdict) => verdict));
}

function isKnown(verdict: Verdict | Promise<Verdict>): verdict is Verdict {
  return !(verdict instanceof Promise);
}

const NO_KEYS: FoundKeys = { key: () => undefined };

/** Whether the answer depends on what scopes stand for. */
function asksForScopes({ scopes, anyScopes }: AskedKey): boolean {
  return scopes !== undefined || anyScopes !== undefined;
}

type Found = FoundKey | 'malformed' | undefined;

interface Case {
  question: AskedKey;
  tenantId: string | undefined;
  now: number;
  catalogue: ScopeCatalogue;
}

/** At once, unless the key's limit or quota is counted elsewhere. */
function verdictOn(parts: Parts, one: Case, found: Found): Verdict | Promise<Verdict> {
  const trace = one.question.counting === 'look' ? new Trace() : undefined;
  const known = identified(one, found, trace);
  if ('code' in known) return withTrace(known, trace);
  const { key } = known;
  const refusal = judged(one, key, trace);
  if (refusal) return withTrace({ ...refusal, key }, trace);
  const verdict = counted(parts, one.question, key, trace);
  return verdict instanceof Promise ? verdict.then((later) => withTrace(later, trace)) : withTrace(verdict, trace);
}

function withTrace(verdict: Verdict, trace: Trace | undefined): Verdict {
  if (trace) verdict.trace = trace.steps;
  return verdict;
}

/** The key, where the caller may know of it and it is of the tenant that was named; otherwise what to say instead. */
function identified(
  { question, tenantId, catalogue }: Case,
  found: Found,
  trace: Trace | undefined,
): { key: FoundKey } | { code: VerdictCode } {
  if (found === 'malformed') {
    trace?.failed('format', { checksum: false });
    return { code: 'not_found' };
  }
  trace?.passed('format', { checksum: true });
  // A key of another tenant is told apart from no key only by who may know of all.
  if (!found || (tenantId !== undefined && found.tenant.id !== tenantId)) {
    trace?.failed('existence', { found: false });
    return { code: 'not_found' };
  }
  trace?.passed('existence', { found: true });
  const { tenant } = found;
  if (question.tenantId === undefined) trace?.skipped('tenant', { tenantId: tenant.id });
  else if (isNamed(tenant, question.tenantId)) trace?.passed('tenant', { tenantId: tenant.id });
  else {
    trace?.failed('tenant', { tenantId: tenant.id });
    return { code: 'tenant_mismatch' };
  }
  return { key: catalogue === BUILT_IN ? found : { ...found, scopes: catalogue.read(found.scopes) } };
}

type Refusal = Omit<Verdict, 'key' | 'trace'>;

/** What refuses the key before anything is counted. */
function judged({ question, now, catalogue }: Case, key: FoundKey, trace: Trace | undefined): Refusal | undefined {
  const fault = keyFault(key, now);
  if (fault !== undefined) {
    trace?.failed('state', { state: fault });
    return { code: CODES[fault], fault };
  }
  trace?.passed('state', { state: keyStatus(key, now) });
  return addressRefused(question, key, trace) ?? scopesRefused(question, key, catalogue, trace);
}

function addressRefused({ ip }: AskedKey, key: FoundKey, trace: Trace | undefined): Refusal | undefined {
  const isAllowed = ip === undefined || isAddressAllowed(key, ip);
  trace?.note('address', ip === undefined ? 'skipped' : isAllowed ? 'passed' : 'failed', {
    ip: ip ?? null,
    keyNetworks: [...key.bounds.allowedIps],
    tenantNetworks: [...key.tenant.policy.allowedNetworks],
  });
  return isAllowed ? undefined : { code: 'address_not_allowed' };
}

function scopesRefused(
  { scopes = [], anyScopes = [] }: AskedKey,
  key: FoundKey,
  catalogue: ScopeCatalogue,
  trace: Trace | undefined,
): Refusal | undefined {
  const holder = reachOfKey(key);
  const lacks = (scope: string) => !holdsScope(holder, scope, catalogue);
  const missing = scopes.filter(lacks);
  if (anyScopes.every(lacks)) missing.push(...anyScopes);
  const isMissing = missing.length > 0;
  const missingScopes = isMissing ? [...new Set(missing)] : missing;
  const isAsked = scopes.length + anyScopes.length > 0;
  trace?.note('scopes', isMissing ? 'failed' : isAsked ? 'passed' : 'skipped', {
    held: [...key.scopes.scopes],
    all: [...scopes],
    any: [...anyScopes],
    missing: missingScopes,
  });
  return isMissing ? { code: 'insufficient_scope', missingScopes } : undefined;
}

/**
 * Counts what is left to count, first the limit and then the quota, so that a refused burst spends none of that; at once
 * where this process counts.
 */
function counted(
  parts: Parts,
  question: AskedKey,
  key: FoundKey,
  trace: Trace | undefined,
): Verdict | Promise<Verdict> {
  const { cost, counting } = question;
  if (counting === 'nothing') return { code: 'valid', key };
  const { countKey, peekKey } = parts.limits;
  const count = (counting === 'spend' ? countKey : peekKey)(key, cost);
  if (count instanceof Promise || key.monthlyQuota !== null) return countedLater(parts, question, key, count, trace);
  const verdict = withinLimit(key, count, cost, trace);
  if (verdict.code === 'valid') trace?.skipped('quota', { cost });
  return verdict;
}

async function countedLater(
  { limits: { quotas } }: Parts,
  { cost, counting }: AskedKey,
  key: FoundKey,
  count: ReturnType<Limits['countKey']>,
  trace: Trace | undefined,
): Promise<Verdict> {
  const verdict = withinLimit(key, await count, cost, trace);
  if (verdict.code !== 'valid') return verdict;
  const { monthlyQuota } = key;
  if (monthlyQuota === null) {
    trace?.skipped('quota', { cost });
    return verdict;
  }
  const quota = await quotas[counting === 'spend' ? 'take' : 'peek'](key, monthlyQuota, cost);
  trace?.note('quota', quota.allowed ? 'passed' : 'failed', { cost, limit: quota.quota, remaining: quota.left });
  return { ...verdict, code: quota.allowed ? 'valid' : 'quota_exceeded', quota };
}

function withinLimit(key: FoundKey, limit: Count | undefined, cost: number, trace: Trace | undefined): Verdict {
  if (!limit) {
    trace?.skipped('limit', { cost });
    return { code: 'valid', key };
  }
  const { allowed, remaining, rule } = limit;
  trace?.note('limit', allowed ? 'passed' : 'failed', { cost, limit: rule.limit, remaining });
  return { code: allowed ? 'valid' : 'rate_limited', key, limit };
}

/** The checks as they went, each with what it saw. */
class Trace {
  readonly steps: TraceStep[] = [];

  note(check: Check, outcome: TraceStep['outcome'], saw: TraceStep['saw']): void {
    this.steps.push({ check, outcome, saw });
  }

  passed(check: Check, saw: TraceStep['saw']): void {
    this.note(check, 'passed', saw);
  }

  skipped(check: Check, saw: TraceStep['saw']): void {
    this.note(check, 'skipped', saw);
  }

  failed(check: Check, saw: TraceStep['saw']): void {
    this.note(check, 'failed', saw);
  }
}
