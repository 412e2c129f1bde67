import { KEY_ATTENTIONS, type KeyAttention } from '../../../db/tables/keys/apiKeyAttention.ts';
import type { KeySort } from '../../../db/tables/keys/apiKeyList.ts';
import { KEY_STATUSES } from '../../domain/keyStatus.ts';
import { CATALOGUE } from '../../domain/scopeCatalogue.ts';
import type { Texts } from '../../locales/texts.ts';
import { MOST_ATTENTION, PAGE_SIZE, type KeyPage } from './keyList.ts';
import { listPath, type ListAddress, type ListQuery } from './keyQuery.ts';

interface AttentionItem {
  id: KeyAttention;
  count: number;
  /** There are more than were counted. */
  isMore: boolean;
  href: string;
  current: boolean;
}

/** What of the keys wants attention, as links that narrow the list to it; a second click widens it again. */
export function attentionItems(
  counts: Record<KeyAttention, number>,
  address: ListAddress,
  { attention }: ListQuery,
): AttentionItem[] {
  // Reported leaks take their place behind these once they can be reported.
  return KEY_ATTENTIONS.map((id) => ({
    id,
    count: Math.min(counts[id], MOST_ATTENTION),
    isMore: counts[id] > MOST_ATTENTION,
    href: listPath(address.sort === undefined ? {} : { sort: address.sort }, {
      attention: attention === id ? undefined : id,
    }),
    current: attention === id,
  }));
}

/** What the fields of the filter offer, the first of each being anything. */
export function filterChoices({ t }: Pick<Texts, 't'>) {
  const any = { value: '', label: t('keys.any') };
  return {
    status: [any, ...KEY_STATUSES.map((value) => ({ value, label: t(`ui.status_${value}`) }))],
    scope: [any, ...CATALOGUE.map(({ scope }) => ({ value: scope, label: scope }))],
    environment: [any, ...(['live', 'test'] as const).map((value) => ({ value, label: t(`keys.${value}`) }))],
  };
}

interface Head {
  href: string;
  direction: '' | 'ascending' | 'descending';
}

/** The heads that sort: a click turns the order round, the first one begins with what is mostly looked for. */
export function listHeads(address: ListAddress, { sort }: ListQuery): { heads: Record<KeySort, Head> } {
  const head = (column: KeySort, descendsFirst: boolean): Head => {
    const isSorted = sort.sort === column;
    const descends = isSorted ? !sort.descending : descendsFirst;
    return {
      href: listPath(address, { sort: `${descends ? '-' : ''}${column}`, page: undefined }),
      direction: isSorted ? (sort.descending ? 'descending' : 'ascending') : '',
    };
  };
  return {
    heads: {
      name: head('name', false),
      createdAt: head('createdAt', true),
      lastUsedAt: head('lastUsedAt', true),
      expiresAt: head('expiresAt', false),
    },
  };
}

interface Paging {
  from: number;
  to: number;
  total: number;
  /** There are more than `total`. */
  isMore: boolean;
  previous?: string;
  next?: string;
}

/** Where in the list a page stands, and the ways on. */
export function listPaging(
  { keys, total, totalIsAtLeast, hasMore }: KeyPage,
  address: ListAddress,
  { page }: ListQuery,
): Paging {
  const from = (page - 1) * PAGE_SIZE;
  const at = (number: number) => listPath(address, { page: number === 1 ? undefined : String(number) });
  return {
    from: from + 1,
    to: from + keys.length,
    total,
    isMore: totalIsAtLeast,
    ...(page > 1 && { previous: at(page - 1) }),
    ...(hasMore && { next: at(page + 1) }),
  };
}
