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

/** The event as the journal keeps it and as the database reads it: values without names, cut so that no use can keep others from being written. */
export type JournalEntry = [
  keyId: string,
  tenantId: string,
  method: string,
  endpoint: string,
  statusCode: number,
  scope: string | null,
  ip: string | null,
  userAgent: string | null,
  responseMs: number,
  at: number,
  keyName: string,
  requestId: string | null,
];

const LONGEST_METHOD = 10;
const LONGEST_ENDPOINT = 200;
const LONGEST_SCOPE = 100;
const LONGEST_USER_AGENT = 255;
const LONGEST_RESPONSE_MS = 999_999;
const HALF_CHARACTERS = /\p{Cs}/gu;

/** The event as one line of the journal; made once, and never taken apart again on its way into the usage log. */
export function journalLineOf(use: UsageEvent): string {
  const line: JournalEntry = [
    use.keyId,
    use.tenantId,
    use.method.slice(0, LONGEST_METHOD),
    use.endpoint.slice(0, LONGEST_ENDPOINT),
    use.statusCode,
    use.scope?.slice(0, LONGEST_SCOPE) ?? null,
    use.ip,
    use.userAgent?.slice(0, LONGEST_USER_AGENT).replace(HALF_CHARACTERS, '') ?? null,
    Math.min(Math.round(use.responseMs * 10) / 10 || 0, LONGEST_RESPONSE_MS),
    use.at,
    use.keyName,
    use.requestId,
  ];
  return JSON.stringify(line);
}

/** What lines of the journal say, and the same as one JSON array; how many of them are not whole, and were left out. */
export function readJournalLines(text: string): { uses: JournalEntry[]; json: string; broken: number } {
  const json = `[${text.trimEnd().replaceAll('\n', ',')}]`;
  try {
    return { uses: JSON.parse(json) as JournalEntry[], json, broken: 0 };
  } catch {
    const lines = text.trimEnd().split('\n');
    const whole = lines.filter(isWhole);
    const uses = whole.map((line) => JSON.parse(line) as JournalEntry);
    return { uses, json: `[${whole.join(',')}]`, broken: lines.length - whole.length };
  }
}

function isWhole(line: string): boolean {
  try {
    return Array.isArray(JSON.parse(line));
  } catch {
    return false;
  }
}
