import { z } from 'zod';
import { refuses, type Problem } from './problem.ts';

const DEEPEST = 64;

/**
 * Any JSON as input, which is given back as it came. Its depth is bounded, since writing it out again takes a stack as
 * deep; a number beyond all bounds would come back as null.
 */
export const Json = z.unknown().check(refuses(jsonProblem));

function jsonProblem(value: unknown): Problem | undefined {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return { key: 'json_too_deep', values: { levels: DEEPEST } };
    if (level.some((one) => typeof one === 'number' && !Number.isFinite(one))) return { key: 'json_number_too_large' };
    level = level.flatMap((one) => (isHolding(one) ? Object.values(one) : []));
  }
  return undefined;
}

function isHolding(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
