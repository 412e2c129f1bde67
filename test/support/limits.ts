import { expect } from 'chai';
import type { Answer } from './http.ts';

/** What an answer says of the limit it was counted under. */
export function rateOf({ headers }: Answer): { policy: string; limit: number; remaining: number; reset: number } {
  const [, name, remaining, seconds] = /^"([\w-]+)";r=(\d+);t=(\d+)$/.exec(String(headers['ratelimit'])) ?? [];
  const [, policyName, limit] = /^"([\w-]+)";q=(\d+);w=\d+$/.exec(String(headers['ratelimit-policy'])) ?? [];
  expect(name, 'both name the same policy').to.equal(policyName);
  expect(headers['x-ratelimit-limit']).to.equal(limit);
  expect(headers['x-ratelimit-remaining']).to.equal(remaining);
  const end = Number(headers['x-ratelimit-reset']);
  // By the clock of the answer, which may be read late.
  expect(end).to.be.closeTo(Date.parse(String(headers.date)) / 1000 + Number(seconds), 3);
  return {
    policy: String(headers['ratelimit-policy']),
    limit: Number(limit),
    remaining: Number(remaining),
    reset: end,
  };
}

/** Expects a refusal by a limit, and gives the seconds it asks to wait. */
export function tooMany(answer: Answer, code = 'rate_limited'): number {
  const { status, headers, body, text } = answer;
  expect([status, (body as { code?: string } | undefined)?.code], text).to.deep.equal([429, code]);
  expect(headers['content-type']).to.equal('application/problem+json');
  expect(headers['retry-after']).to.match(/^[1-9]\d*$/);
  return Number(headers['retry-after']);
}

/** The statuses of so many requests, one after another. */
export async function statuses(times: number, request: () => Promise<Answer>): Promise<number[]> {
  const seen: number[] = [];
  for (let n = 0; n < times; n++) seen.push((await request()).status);
  return seen;
}
