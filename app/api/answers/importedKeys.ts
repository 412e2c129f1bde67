import { z } from 'zod';
import type { ImportedLine } from '../../actions/keys/importKeys.ts';
import type { Texts } from '../../locales/texts.ts';

/** What became of each line of an import. */
export const ImportAnswer = z
  .strictObject({
    dryRun: z.boolean().describe('Whether this only says what an import would do.'),
    imported: z.int().describe('How many keys were imported; 0 where a line is refused and `skipBad` is not set.'),
    present: z.int().describe('How many keys were there already, and stayed as they are.'),
    refused: z.int().describe('How many lines are refused.'),
    lines: z
      .array(
        z.strictObject({
          line: z.int().describe('The number of the line, counted from 1.'),
          outcome: z
            .enum(['imported', 'present', 'refused', 'held_back'])
            .describe(
              'What became of the line; `held_back` is a good one that was not imported because others are refused.',
            ),
          id: z.string().optional().describe('The id of the key.'),
          errors: z
            .array(z.strictObject({ path: z.string(), message: z.string() }))
            .optional()
            .describe('Why the line is refused, by field; an empty path stands for the whole line.'),
        }),
      )
      .describe('Each line in its order.'),
  })
  .meta({ id: 'KeyImport' });

export function presentImport(
  lines: readonly ImportedLine[],
  { dryRun, skipBad, texts }: { dryRun: boolean; skipBad: boolean; texts: Pick<Texts, 'problemText'> },
): z.output<typeof ImportAnswer> {
  const count = (outcome: ImportedLine['outcome']) => lines.filter((one) => one.outcome === outcome).length;
  const refused = count('refused');
  const isHeldBack = refused > 0 && !skipBad && !dryRun;
  return {
    dryRun,
    imported: isHeldBack ? 0 : count('imported'),
    present: count('present'),
    refused,
    lines: lines.map(({ line, outcome, id, errors }) => ({
      line,
      outcome: isHeldBack && outcome === 'imported' ? ('held_back' as const) : outcome,
      ...(id !== undefined && { id }),
      ...(errors && { errors: errors.map(({ path, problem }) => ({ path, message: texts.problemText(problem) })) }),
    })),
  };
}
