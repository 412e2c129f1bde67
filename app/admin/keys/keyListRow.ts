import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import type { Policy } from '../../domain/policy.ts';
import type { ScopeCatalogue } from '../../domain/scopeCatalogue.ts';
import type { Moment, Texts } from '../../locales/texts.ts';
import type { KeyUses } from './keyList.ts';
import { keyView, type KeyView, type ScopeBadge } from './keyView.ts';

/** Scopes shown as badges; the others are counted. */
const MOST_BADGES = 3;

/** A row of the list. Its texts are made here, since a template is slower over fifty rows. */
interface KeyListRow extends Pick<
  KeyView,
  'id' | 'name' | 'masked' | 'environment' | 'status' | 'note' | 'warnings' | 'lastUsedIp' | 'spark' | 'may'
> {
  path: string;
  /** Whose it is: a person, or the tenant itself. */
  owner: string;
  /** Who made it, where that is somebody else. */
  creator: string | undefined;
  /** The label of the row's checkbox. */
  choose: string;
  created: Moment;
  lastUsed: Moment | null;
  statusText: string;
  badges: ScopeBadge[];
  /** The scopes that have no badge. */
  more: { short: string; full: string; names: string } | undefined;
  /** The sparkline in words, for screen readers. */
  requests: string;
}

/** The rows of a page of keys, in the reader's words. */
export function keyListRows(
  keys: readonly ApiKey[],
  { days, sinceRotation }: KeyUses,
  texts: Texts,
  now: number,
  {
    path,
    manages,
    reader,
    policy,
    catalogue,
    names,
  }: {
    path: string;
    manages: boolean;
    reader: string;
    policy: Policy;
    catalogue: ScopeCatalogue;
    names: ReadonlyMap<string, string>;
  },
): KeyListRow[] {
  const { t, moment } = texts;
  const [organisation, person] = [t('keys.owner_organisation'), t('keys.owner_user')];
  return keys.map((key) => {
    const row = keyView(key, texts, now, {
      manages,
      reader,
      policy,
      catalogue,
      days: days.get(key.id),
      sinceRotation: sinceRotation.get(key.id),
    });
    const { id, name, masked, environment, status, note, warnings, lastUsedIp, spark, may } = row;
    return {
      id,
      name,
      masked,
      environment,
      status,
      note,
      warnings,
      lastUsedIp,
      spark,
      may,
      path: `${path}/${id}`,
      owner: key.userId === null ? organisation : (names.get(key.userId) ?? person),
      creator: key.createdBy === key.userId ? undefined : names.get(key.createdBy ?? ''),
      choose: t('keys.choose_one', { name }),
      created: moment(key.createdAt, now),
      lastUsed: key.lastUsedAt === null ? null : moment(key.lastUsedAt, now),
      statusText: t(`ui.status_${status}`),
      badges: row.scopes.slice(0, MOST_BADGES),
      more: scopesWithoutBadge(key.scopes, texts),
      requests: t('ui.sparkline', { total: spark.total, days: spark.days }),
    };
  });
}

function scopesWithoutBadge(scopes: readonly string[], { t, joined }: Texts): KeyListRow['more'] {
  const count = scopes.length - MOST_BADGES;
  if (count <= 0) return undefined;
  const names = joined(scopes.slice(MOST_BADGES));
  return { short: t('ui.more', { count }), full: t('ui.more_of', { count, names }), names };
}
