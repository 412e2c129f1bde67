import { APPS } from '../../domain/apps.ts';
import { scopeBadge } from '../keys/keyView.ts';
import type { Texts } from '../../locales/texts.ts';

/** The apps in the reader's language, each with what its scopes mean. */
export function presentMarketplacePage(installed: ReadonlySet<string>, texts: Texts) {
  return APPS.map(({ id, name, description, scopes }) => ({
    id,
    name,
    description: description[texts.locale],
    installed: installed.has(id),
    scopes: scopes.map((scope) => scopeBadge(scope, texts)),
  }));
}
