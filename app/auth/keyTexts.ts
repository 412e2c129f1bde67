import { hexHashOf, looksLikeKey, parseKey } from '../domain/token.ts';
import type { Lookup } from './lookup.ts';

/** Characters that may stand in a key of another issuer, and how long it may be. */
const FOREIGN_KEY = /^[\x21-\x7e]{8,256}$/;
/** A token of three parts is never a key, so that a deployment can take both as Bearer. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/**
 * Says which texts may be keys. Keys that were issued here are told by their checksum, without a query; once keys of
 * elsewhere were imported, any other text may be one of those, and only the database knows.
 */
export class KeyTexts {
  readonly #prefix: string;
  readonly #lookup: Pick<Lookup, 'settings'>;
  #hasForeign = false;

  constructor(prefix: string, lookup: Pick<Lookup, 'settings'>) {
    this.#prefix = prefix;
    this.#lookup = lookup;
  }

  /** Learns whether keys were imported, here or by another process; once there were, there may always be. */
  async refresh(): Promise<void> {
    this.#hasForeign ||= (await this.#lookup.settings()).foreign_keys.value !== null;
  }

  /** Whether the text can be a key at all. */
  mayBeKey(text: string): boolean {
    return parseKey(text, this.#prefix) !== undefined || (this.#hasForeign && FOREIGN_KEY.test(text));
  }

  /** The hash by which the text is looked up; undefined for one that can be no key. */
  hashOf(text: string): string | undefined {
    return this.mayBeKey(text) ? hexHashOf(text) : undefined;
  }

  /** Whether a Bearer text is tried as a key, well-formed or not, and never as a token. */
  isKeyAsBearer(text: string): boolean {
    return looksLikeKey(text, this.#prefix) || (this.#hasForeign && FOREIGN_KEY.test(text) && !JWT.test(text));
  }
}
