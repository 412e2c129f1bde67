import { readFileSync } from 'node:fs';
import { faultCode } from '../../../db/connection/faults.ts';
import { ConfigError } from '../../config.ts';
import { productScopesInput, type ProductScope } from '../../domain/productScopes.ts';
import { fieldErrors } from '../../http/fieldErrors.ts';
import { textsIn } from '../../locales/texts.ts';

/** Reads the scopes of the product from a file of the form that the API takes; throws one line with the entry and the reason. */
export function readScopesFile(file: string, sampleProduct: boolean): ProductScope[] {
  const refused = (why: string) => new ConfigError(`SCOPES_FILE ${file} ${why}`);
  const read = productScopesInput(sampleProduct).safeParse(jsonOf(file, refused), { reportInput: true });
  if (read.success) return read.data.scopes;
  const [first] = fieldErrors(read.error);
  if (!first) throw refused('is not what the API takes');
  const text = textsIn('en').problemText(first.problem);
  if (first.path === '') throw refused('must be an object: {"scopes": […]}');
  throw refused(`is wrong at ${first.path}: ${text}`);
}

function jsonOf(file: string, refused: (why: string) => ConfigError): unknown {
  let text: string;
  try {
    // Some editors begin a file with a byte order mark, which JSON does not have.
    text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw refused(`cannot be read (${faultCode(error)})`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw refused('is not JSON');
  }
}
