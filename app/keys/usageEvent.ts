import { normaliseAddress } from '../domain/network.ts';

/** One request made with a valid key, however it was answered. */
export interface UsageEvent {
  tenantId: string;
  keyId: string;
  keyName: string;
  method: string;
  /** The route's pattern. */
  endpoint: string;
  statusCode: number;
  /** What the route asks for. */
  scope: string | null;
  ip: string | null;
  userAgent: string | null;
  responseMs: number;
  at: number;
  requestId: string | null;
}

const LONGEST_ENDPOINT = 200;
const LONGEST_SCOPE = 100;
const LONGEST_USER_AGENT = 255;
const LONGEST_RESPONSE_MS = 999_999;

/** The event as one line of the journal: values without names, for it is written on every request. */
export function lineOf(use: UsageEvent): string {
  return JSON.stringify([
    use.tenantId,
    use.keyId,
    use.keyName,
    use.method,
    use.endpoint,
    use.statusCode,
    use.scope,
    use.ip,
    use.userAgent?.slice(0, LONGEST_USER_AGENT) ?? null,
    use.responseMs,
    use.at,
    use.requestId,
  ]);
}

/** Reads a line back; undefined for one that is not whole. */
export function eventOf(line: string): UsageEvent | undefined {
  try {
    const [tenantId, keyId, keyName, method, endpoint, statusCode, scope, ip, userAgent, responseMs, at, requestId] =
      JSON.parse(line) as [string, string, string, string, string, number, string | null, ...Tail];
    return fitting({
      tenantId,
      keyId,
      keyName,
      method,
      endpoint,
      statusCode,
      scope,
      ip,
      userAgent,
      responseMs,
      at,
      requestId,
    });
  } catch {
    return undefined;
  }
}

type Tail = [ip: string | null, userAgent: string | null, responseMs: number, at: number, requestId: string | null];

/** The event as the tables can hold it, so that none can keep the others from being written. */
function fitting(use: UsageEvent): UsageEvent {
  return {
    ...use,
    method: ascii(use.method, 10),
    endpoint: ascii(use.endpoint, LONGEST_ENDPOINT),
    scope: use.scope === null ? null : ascii(use.scope, LONGEST_SCOPE),
    ip: use.ip === null ? null : (normaliseAddress(use.ip) ?? null),
    userAgent: use.userAgent?.replace(/\p{Cs}/gu, '') ?? null,
    responseMs: Number.isFinite(use.responseMs) ? Math.min(Math.max(use.responseMs, 0), LONGEST_RESPONSE_MS) : 0,
  };
}

function ascii(text: string, length: number): string {
  return text.slice(0, length).replace(/[^\x20-\x7e]/g, '?');
}
