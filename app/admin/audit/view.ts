import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import type { AuditLog } from '../../../db/tables/auditLogs.ts';
import type { Member } from '../../../db/tables/people/memberships.ts';
import { changeLinesOf, shortId } from './changeLines.ts';
import { AUDITED, SAMPLE_ENTITIES, type AuditEntity } from '../../domain/auditEvent.ts';
import { addressOf } from '../../http/redirect.ts';
import { AUDIT_ACTIONS, AUDIT_ENTITIES } from '../../inputs/auditQuery.ts';
import { deviceOf } from '../shell/device.ts';
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
  uses: string;
};

const LONGEST_PROGRAM = 40;

interface Choice {
  value: string;
  label: string;
}

/** One row of the page: what was done in one save, to what, what changed, by whom and from where. */
export function presentAuditSave(
  save: readonly [AuditLog, ...AuditLog[]],
  texts: Texts,
  names: ReadonlyMap<string, string>,
) {
  const { t } = texts;
  const { entity, entityId, actor, origin, createdAt } = save[0];
  const name =
    save.map(({ before, after }) => nameIn(after) ?? nameIn(before)).find((one) => one !== undefined) ??
    names.get(entityId ?? '');
  return {
    createdAt,
    said: saidOf(save, texts),
    entity: t(`audit.entity_${entity}`),
    // The key policy is one of its organisation, and says all by its action.
    entityId: entity === 'settings' ? null : entityId,
    shortId: entityId === null ? null : shortId(entityId),
    name,
    actor: { type: actor.type, id: actor.id, name: actor.name ?? t(`audit.actor_${actor.type}`) },
    from: fromOf(origin),
    lines: save.flatMap((log) => changeLinesOf(log, texts)),
  };
}

/** The address of a request and the program that sent it, whose whole name is longer than a line. */
function fromOf({ ip, userAgent }: AuditLog['origin']) {
  // What is no browser names itself first, as curl/8.5.0.
  return { ip, userAgent, program: deviceOf(userAgent) || userAgent?.split(' ')[0]?.slice(0, LONGEST_PROGRAM) };
}

/** What was done, in words; the scopes and the other fields of a key are two actions, and one change to who made it. */
function saidOf(save: readonly AuditLog[], { t }: Texts): string {
  const actions = new Set(save.map(({ action }) => action));
  if (actions.has('API_KEY_UPDATED')) actions.delete('API_KEY_SCOPES_UPDATED');
  return [...actions].map((action) => t(`audit.action_${action}`)).join(' · ');
}

/** The filter with its choices, the links to the export and to further pages. */
export function presentAuditFilters(
  fields: Fields,
  { people, keys }: { people: readonly Member[]; keys: readonly ApiKey[] },
  {
    path,
    first,
    nextCursor,
    hidesUses,
  }: { path: string; first: boolean; nextCursor: string | null; hidesUses: boolean },
) {
  const set = Object.values(fields).filter((value) => value !== '').length;
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
    narrowed: set > 0,
    set,
    // The file has what the page shows; without a word on uses it has all of them.
    exportPath: addressOf(`${path}/export`, { ...fields, uses: hidesUses ? 'hidden' : '' }),
    usesPath: hidesUses ? addressOf(path, { ...fields, uses: 'shown' }) : undefined,
    paging: {
      first: first ? addressOf(path, fields) : undefined,
      next: nextCursor === null ? undefined : addressOf(path, { ...fields, cursor: nextCursor }),
    },
  };
}

/** The actions and kinds that can be chosen: those of the sample product where it is served, or one of them is chosen. */
export function auditChoices({ action, entity }: Pick<Fields, 'action' | 'entity'>, sampleProduct: boolean) {
  const isOffered = (one: AuditEntity) => sampleProduct || !SAMPLE_ENTITIES.has(one);
  return {
    actions: AUDIT_ACTIONS.filter((one) => one === action || isOffered(AUDITED[one])),
    entities: AUDIT_ENTITIES.filter((one) => one === entity || isOffered(one)),
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
