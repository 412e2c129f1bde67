import type { TrialOutcome } from '../../auth/forwardAuthTrial.ts';
import { neverMatching, type ForwardAuthRule } from '../../domain/forwardAuthRules.ts';
import type { ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import type { Locale } from '../../domain/locale.ts';

/** The value of the scope's field that stands for a public rule, which is no scope. */
export const PUBLIC = 'public';

/** The rules in their order, counted from 1, each with what is odd about it. */
export function presentRulesPage(rules: readonly ForwardAuthRule[], version: string, catalogue: ScopeCatalogue) {
  const hiddenBy = new Map(neverMatching(rules).map(({ rule, hiddenBy }) => [rule, hiddenBy + 1]));
  return {
    version,
    rules: rules.map((rule, place) => ({
      place,
      number: place + 1,
      method: rule.method,
      host: rule.host ?? '',
      path: rule.path,
      scope: 'scope' in rule ? rule.scope : '',
      hiddenBy: hiddenBy.get(place),
      unknownScope: 'scope' in rule && !catalogue.isKnown(rule.scope),
      first: place === 0,
      last: place === rules.length - 1,
    })),
  };
}

/** What a rule can ask for, by groups: the scopes of the catalogue. */
export function scopeGroups(catalogue: ScopeCatalogue, locale: Locale) {
  return catalogue.groups
    .map(({ id, title }) => ({
      label: title[locale],
      options: catalogue.scopes
        .filter(({ group }) => group === id)
        .map(({ scope }) => ({ value: scope, label: scope })),
    }))
    .filter(({ options }) => options.length > 0);
}

/** What came of a request that was tried. */
export function presentOutcome({ code, status, path, match, passedOver, key }: TrialOutcome) {
  return {
    allowed: code === 'allowed',
    code,
    status,
    path: 'path' in path ? path.path : '',
    fault: 'fault' in path ? path.fault : '',
    number: match && match.place + 1,
    public: match ? 'public' in match.rule : false,
    scope: match && 'scope' in match.rule ? match.rule.scope : '',
    passedOver: passedOver.map(({ place, because }) => ({ number: place + 1, because })),
    keyName: key?.name ?? '',
  };
}
