import { isAddressAllowed, keyFault, type KeyFault } from '../domain/keyFault.ts';
import { keyStatus } from '../domain/keyStatus.ts';
import { BUILT_IN, type ScopeCatalogue } from '../domain/scopeCatalogue.ts';
import { hashKey } from '../domain/token.ts';
import type { Count } from '../limits/count.ts';
import type { Limits } from '../limits/limits.ts';
import type { QuotaCount } from '../limits/quota.ts';
import { principalOfKey } from './apiKey.ts';
import { holdsScope } from './authority.ts';
import type { KeyTexts } from './keyTexts.ts';
import type { FoundKey, Lookup } from './lookup.ts';
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
  trace: TraceStep[];
}

interface Parts {
  lookup: Pick<Lookup, 'key' | 'catalogue'>;
  limits: Pick<Limits, 'countKey' | 'peekKey' | 'quotas'>;
  keyTexts: KeyTexts;
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
  // All lookups begin in one turn, so that they are one query.
  const [catalogue, found] = await Promise.all([
    questions.some(asksForScopes) ? parts.lookup.catalogue() : BUILT_IN,
    Promise.all(questions.map(async ({ key }) => foundKey(parts, key))),
  ]);
  const now = Date.now();
  return Promise.all(
    questions.map(async (question, place) => verdictOn(parts, { question, tenantId, now, catalogue }, found[place])),
  );
}

/** Whether the answer depends on what scopes stand for. */
function asksForScopes({ scopes, anyScopes }: AskedKey): boolean {
  return scopes !== undefined || anyScopes !== undefined;
}

/** What is known by the text of a key; a text that is no key of ours never reaches the database. */
async function foundKey({ lookup, keyTexts }: Parts, text: string): Promise<FoundKey | 'malformed' | undefined> {
  return keyTexts.mayBeKey(text) ? lookup.key(hashKey(text)) : 'malformed';
}

interface Case {
  question: AskedKey;
  tenantId: string | undefined;
  now: number;
  catalogue: ScopeCatalogue;
}

async function verdictOn(parts: Parts, one: Case, found: Awaited<ReturnType<typeof foundKey>>): Promise<Verdict> {
  const trace = new Trace();
  const known = identified(one, found, trace);
  if ('code' in known) return { ...known, trace: trace.steps };
  const refused = judged(one, known.key, trace) ?? (await counted(parts, one.question, known.key, trace));
  return { ...known, ...refused, trace: trace.steps };
}

/** The key, where the caller may know of it and it is of the tenant that was named; otherwise what to say instead. */
function identified(
  { question, tenantId, catalogue }: Case,
  found: Awaited<ReturnType<typeof foundKey>>,
  trace: Trace,
): { key: FoundKey } | { code: VerdictCode } {
  if (found === 'malformed') return trace.failed('format', 'not_found', { checksum: false });
  trace.passed('format', { checksum: true });
  // A key of another tenant is told apart from no key only by who may know of all.
  if (!found || (tenantId !== undefined && found.tenant.id !== tenantId)) {
    return trace.failed('existence', 'not_found', { found: false });
  }
  trace.passed('existence', { found: true });
  const saw = { tenantId: found.tenant.id };
  if (question.tenantId === undefined) trace.skipped('tenant', saw);
  else if (isNamed(found.tenant, question.tenantId)) trace.passed('tenant', saw);
  else return trace.failed('tenant', 'tenant_mismatch', saw);
  return { key: catalogue === BUILT_IN ? found : { ...found, scopes: catalogue.read(found.scopes) } };
}

type Refusal = Omit<Verdict, 'key' | 'trace'>;

/** What refuses the key before anything is counted. */
function judged({ question, now, catalogue }: Case, key: FoundKey, trace: Trace): Refusal | undefined {
  const fault = keyFault(key, now);
  const saw = { state: fault ?? keyStatus(key, now) };
  if (fault !== undefined) return { ...trace.failed('state', CODES[fault], saw), fault };
  trace.passed('state', saw);
  return addressRefused(question, key, trace) ?? scopesRefused(question, key, catalogue, trace);
}

function addressRefused({ ip }: AskedKey, key: FoundKey, trace: Trace): Refusal | undefined {
  const { bounds, tenant } = key;
  const saw = {
    ip: ip ?? null,
    keyNetworks: [...bounds.allowedIps],
    tenantNetworks: [...tenant.policy.allowedNetworks],
  };
  if (ip === undefined) trace.skipped('address', saw);
  else if (isAddressAllowed(key, ip)) trace.passed('address', saw);
  else return trace.failed('address', 'address_not_allowed', saw);
  return undefined;
}

function scopesRefused(
  { scopes = [], anyScopes = [] }: AskedKey,
  key: FoundKey,
  catalogue: ScopeCatalogue,
  trace: Trace,
): Refusal | undefined {
  const holder = principalOfKey(key);
  const lacks = (scope: string) => !holdsScope(holder, scope, catalogue);
  const lackedOfAny = anyScopes.every(lacks) ? anyScopes : [];
  const missingScopes = [...new Set([...scopes.filter(lacks), ...lackedOfAny])];
  const saw = { held: [...key.scopes.scopes], all: [...scopes], any: [...anyScopes], missing: missingScopes };
  if (missingScopes.length > 0) return { ...trace.failed('scopes', 'insufficient_scope', saw), missingScopes };
  if (scopes.length + anyScopes.length === 0) trace.skipped('scopes', saw);
  else trace.passed('scopes', saw);
  return undefined;
}

/** Counts what is left to count, first the limit and then the quota, so that a refused burst spends none of that. */
async function counted(
  { limits: { countKey, peekKey, quotas } }: Parts,
  { cost, counting }: AskedKey,
  key: FoundKey,
  trace: Trace,
): Promise<Refusal> {
  if (counting === 'nothing') return { code: 'valid' };
  const count = (counting === 'spend' ? countKey : peekKey)(key, cost);
  const limit = count instanceof Promise ? await count : count;
  if (limit) {
    const saw = { cost, limit: limit.rule.limit, remaining: limit.remaining };
    if (!limit.allowed) return { ...trace.failed('limit', 'rate_limited', saw), limit };
    trace.passed('limit', saw);
  } else trace.skipped('limit', { cost });

  const { monthlyQuota } = key;
  if (monthlyQuota === null) {
    trace.skipped('quota', { cost });
    return { code: 'valid', ...(limit && { limit }) };
  }
  const quota = await quotas[counting === 'spend' ? 'take' : 'peek'](key.id, monthlyQuota, cost);
  const saw = { cost, limit: quota.quota, remaining: quota.left };
  const standing = { ...(limit && { limit }), quota };
  if (!quota.allowed) return { ...trace.failed('quota', 'quota_exceeded', saw), ...standing };
  trace.passed('quota', saw);
  return { code: 'valid', ...standing };
}

/** The checks as they went, each with what it saw. */
class Trace {
  readonly steps: TraceStep[] = [];

  passed(check: Check, saw: TraceStep['saw']): void {
    this.steps.push({ check, outcome: 'passed', saw });
  }

  skipped(check: Check, saw: TraceStep['saw']): void {
    this.steps.push({ check, outcome: 'skipped', saw });
  }

  failed(check: Check, code: VerdictCode, saw: TraceStep['saw']): { code: VerdictCode } {
    this.steps.push({ check, outcome: 'failed', saw });
    return { code };
  }
}
