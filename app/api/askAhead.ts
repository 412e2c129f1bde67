import type { KeyTexts } from '../auth/keyTexts.ts';
import type { FoundKeys, Lookup } from '../auth/lookup.ts';
import type { Context, Middleware } from '../context.ts';
import type { ScopeCatalogue } from '../domain/scopeCatalogue.ts';
import { readJson } from '../http/body.ts';
import type { Services } from '../services.ts';

declare module '../context.ts' {
  interface State {
    /** Answers the one question of this request about a key by what was asked of the database already. */
    askedAhead?: AskedAhead;
  }
}

type AskedAhead = Pick<Lookup, 'keys' | 'catalogue'> & Pick<KeyTexts, 'hashOf'>;

/** A longer body than a question has is read once its caller is known. */
const MOST_BYTES = 4_096;

/**
 * Asks for the key that a caller wants to know of in the turn in which the caller's own key is asked for, so that one
 * query answers both. Nothing of it is told before the caller was let in, and it is as fresh: it is asked after the
 * request came.
 */
export function askAhead({ lookup, keyTexts, limits }: Pick<Services, 'lookup' | 'keyTexts' | 'limits'>): Middleware {
  return (ctx, next) => {
    const { credential } = ctx.state;
    const isKey = credential?.kind === 'key' && keyTexts.mayBeKey(credential.text);
    if (isKey && isShort(ctx) && !limits.doubtful.isDoubtful(ctx)) ctx.state.askedAhead = ask(ctx);
    return next();
  };

  function ask(ctx: Context): AskedAhead {
    let asked: AskedQuestion | undefined;
    const asking = readJson(ctx).then((body) => {
      const { text, asksForScopes } = questionIn(body);
      const hash = keyTexts.hashOf(text);
      const keys = hash === undefined ? undefined : lookup.keys([hash]);
      const catalogue = asksForScopes ? lookup.catalogue() : undefined;
      keys?.catch(ignore);
      catalogue?.catch(ignore);
      asked = { text, hash, keys, catalogue };
    });
    asking.catch(ignore);
    return {
      hashOf: (text) => (asked?.text === text ? asked.hash : keyTexts.hashOf(text)),
      keys: async (hashes) => (asked?.keys && hashes.join() === asked.hash ? asked.keys : lookup.keys(hashes)),
      catalogue: async () => asked?.catalogue ?? lookup.catalogue(),
    };
  }
}

/** The question in the body, with what was asked of the database for it. */
interface AskedQuestion {
  text: string;
  hash: string | undefined;
  keys: Promise<FoundKeys> | undefined;
  catalogue: Promise<ScopeCatalogue> | undefined;
}

/** Who is refused as a caller waits for none of what was asked, so that nobody else is told of its faults. */
function ignore(): void {}

function isShort(ctx: Context): boolean {
  const { headers } = ctx.req;
  const bytes = Number(headers['content-length'] ?? 0);
  return headers['transfer-encoding'] === undefined && bytes > 0 && bytes <= MOST_BYTES;
}

/** What a body asks for, whether or not the rest of it can be understood. */
function questionIn(body: unknown): { text: string; asksForScopes: boolean } {
  const { key, scopes, anyScopes } = (body ?? {}) as Record<string, unknown>;
  return { text: typeof key === 'string' ? key : '', asksForScopes: scopes !== undefined || anyScopes !== undefined };
}
