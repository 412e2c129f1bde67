import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import type { AuditLog } from '../../../db/tables/auditLogs.ts';
import type { Member } from '../../../db/tables/people/memberships.ts';
import { changesOf } from './auditChanges.ts';
import { addressOf } from '../../http/redirect.ts';
import type { Texts } from '../../locales/texts.ts';

/** The values of the filter's fields. */
type Fields = {
  action: string;
  actor: string;
  entity: string;
  key: string;
  about: string;
  from: string;
  to: string;
};

interface Choice {
  value: string;
  label: string;
}

/** One row of the page: the action, the actor, the entity, and how each field changed. */
export function presentAuditRow(log: AuditLog, texts: Texts, names: ReadonlyMap<string, string>) {
  const { t } = texts;
  const { action, entity, entityId, actor, origin, createdAt } = log;
  const name = nameIn(log.after) ?? nameIn(log.before) ?? names.get(entityId ?? '');
  return {
    createdAt,
    said: t(`audit.action_${action}`),
    entity: t(`audit.entity_${entity}`),
    entityId,
    // Ids begin with a time, so neighbouring rows share the beginning.
    shortId: entityId && entityId.length > 12 ? `…${entityId.slice(-8)}` : entityId,
    name,
    actor: { type: actor.type, id: actor.id, name: actor.name ?? t(`audit.actor_${actor.type}`) },
    ip: origin.ip,
    changes: changesOf(log, texts),
  };
}

/** The filter with its choices, the links to the export and to further pages. */
export function presentAuditFilters(
  fields: Fields,
  { people, keys }: { people: readonly Member[]; keys: readonly ApiKey[] },
  { path, first, nextCursor }: { path: string; first: boolean; nextCursor: string | null },
) {
  const named = keys.map(({ id, name, lastFour }) => ({ value: id, label: `${name} …${lastFour}` }));
  return {
    ...fields,
    people: includeChosen(
      people.map((person) => ({ value: person.id, label: person.name })),
      // A key acts too: it is among the people where it was chosen by a link.
      named.some(({ value }) => value === fields.actor) ? '' : fields.actor,
    ),
    actingKeys: named,
    keys: includeChosen(named, fields.key),
    narrowed: Object.values(fields).some((value) => value !== ''),
    exportPath: addressOf(`${path}/export`, fields),
    paging: {
      first: first ? addressOf(path, fields) : undefined,
      next: nextCursor === null ? undefined : addressOf(path, { ...fields, cursor: nextCursor }),
    },
  };
}

/** The current names of the people and keys that can be chosen. */
export function labelsOf({
  people,
  keys,
}: {
  people: readonly Member[];
  keys: readonly ApiKey[];
}): Map<string, string> {
  return new Map([...people, ...keys].map(({ id, name }) => [id, name]));
}

/** Adds the chosen value to the choices if it is missing there. */
function includeChosen(choices: Choice[], chosen: string): Choice[] {
  const isThere = chosen === '' || choices.some(({ value }) => value === chosen);
  return isThere ? choices : [...choices, { value: chosen, label: chosen }];
}

function nameIn(fields: Record<string, unknown> | null): string | undefined {
  const name = fields?.name ?? fields?.email ?? fields?.subject;
  return typeof name === 'string' ? name : undefined;
}
