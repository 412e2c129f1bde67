import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import type { KeyUses } from './keyList.ts';
import { KEYS_PATH } from './keyQuery.ts';
import { keyView, type KeyView, type ScopeBadge } from './keyView.ts';
import type { Moment, Texts } from '../../locales/texts.ts';

/** So many scopes are shown of each key; the others are counted. */
const MOST_BADGES = 3;

/** A key in the list: all its texts are made, since a template takes longer over fifty rows than this does. */
interface KeyListRow extends Pick<
  KeyView,
  'id' | 'name' | 'masked' | 'environment' | 'status' | 'note' | 'lastUsedIp' | 'spark' | 'may'
> {
  path: string;
  /** What its box is for. */
  choose: string;
  created: Moment;
  lastUsed: Moment | null;
  statusText: string;
  badges: ScopeBadge[];
  /** The scopes that have no badge. */
  more: { short: string; full: string; names: string } | undefined;
  /** What the sparkline shows. */
  requests: string;
}

/** The rows of a page of keys, in the reader's words. */
export function keyListRows(
  keys: readonly ApiKey[],
  { days, sinceRotation }: KeyUses,
  texts: Texts,
  now: number,
  manages: boolean,
): KeyListRow[] {
  const { t, moment } = texts;
  return keys.map((key) => {
    const row = keyView(key, texts, now, { manages, days: days.get(key.id), sinceRotation: sinceRotation.get(key.id) });
    const { id, name, masked, environment, status, note, lastUsedIp, spark, may } = row;
    return {
      id,
      name,
      masked,
      environment,
      status,
      note,
      lastUsedIp,
      spark,
      may,
      path: `${KEYS_PATH}/${id}`,
      choose: t('keys.choose_one', { name }),
      created: moment(key.createdAt, now),
      lastUsed: key.lastUsedAt === null ? null : moment(key.lastUsedAt, now),
      statusText: t(`ui.status_${status}`),
      badges: row.scopes.slice(0, MOST_BADGES),
      more: moreThanBadges(key.scopes, texts),
      requests: t('ui.sparkline', { total: spark.total, days: spark.days }),
    };
  });
}

function moreThanBadges(scopes: readonly string[], { t, joined }: Texts): KeyListRow['more'] {
  const count = scopes.length - MOST_BADGES;
  if (count <= 0) return undefined;
  const names = joined(scopes.slice(MOST_BADGES));
  return { short: t('ui.more', { count }), full: t('ui.more_of', { count, names }), names };
}
