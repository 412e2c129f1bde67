import { z } from 'zod';

const DEEPEST = 64;

/**
 * Any JSON as input, which is given back as it came. Its depth is bounded, since writing it out again takes a stack as
 * deep; a number beyond all bounds would come back as null.
 */
export const Json = z.unknown().check(({ value, issues }) => {
  const message = jsonProblem(value);
  if (message !== undefined) issues.push({ code: 'custom', input: value, message });
});

function jsonProblem(value: unknown): string | undefined {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return `Must be at most ${DEEPEST} levels deep`;
    if (level.some((one) => typeof one === 'number' && !Number.isFinite(one))) return 'json_number_too_large';
    level = level.flatMap((one) => (isHolding(one) ? Object.values(one) : []));
  }
  return undefined;
}

function isHolding(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
