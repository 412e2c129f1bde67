import type Router from '@koa/router';
import { z } from 'zod';
import { actionContext } from '../actions/actionContext.ts';
import { importKeys } from '../actions/keys/importKeys.ts';
import type { State } from '../context.ts';
import { ImportedKey } from '../domain/importedKey.ts';
import { localeOfHeader } from '../domain/locale.ts';
import { AppError } from '../errors.ts';
import { permission } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { lines } from '../http/input.ts';
import { Flag } from '../http/queryValues.ts';
import { readImport, type ImportFormat } from '../inputs/importedKeys.ts';
import { textsIn } from '../locales/texts.ts';
import type { Services } from '../services.ts';
import { ImportAnswer, presentImport } from './answers/importedKeys.ts';

const FORMATS: Readonly<Record<string, ImportFormat>> = {
  'application/x-ndjson': 'jsonl',
  'application/jsonl': 'jsonl',
  'text/csv': 'csv',
};
const MOST_LINES = 5_000;
const ImportQuery = z.strictObject({ dryRun: Flag, skipBad: Flag });

/** Adds the import of keys that were issued elsewhere, by the hashes of their texts. */
export function importRoutes(
  router: Router<State>,
  { db, keyTexts }: Pick<Services, 'db' | 'keyTexts'>,
): Router<State> {
  return router.post(
    '/api-keys/import',
    permission('api-keys:manage', 'api-keys:write'),
    answers(
      200,
      ImportAnswer,
      'Imports keys that were issued elsewhere, a line each, by the SHA-256 of their texts: all, or none where a line is refused.',
      ['plan_limit', 'conflict'],
    ),
    lines(Object.keys(FORMATS), { line: ImportedKey, query: ImportQuery }, async (ctx, { type, text }, wanted) => {
      const read = readImport(text, FORMATS[type] ?? 'jsonl');
      if (read.length > MOST_LINES) {
        throw new AppError('body_too_large', { key: 'too_many_lines', values: { max: MOST_LINES } });
      }
      const done = await importKeys(actionContext(ctx, db), read, wanted);
      await keyTexts.refresh();
      ctx.body = presentImport(done, { ...wanted, texts: textsIn(localeOfHeader(ctx.get('Accept-Language'))) });
    }),
  );
}
