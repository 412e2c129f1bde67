import { systemContext } from '../../app/actions/actionContext.ts';
import { issueKey } from '../../app/actions/keys/issueKey.ts';
import type { IssuedKey } from '../../app/actions/keys/storedKey.ts';
import { pauseKey, resumeKey } from '../../app/actions/keys/pauseKey.ts';
import { revokeKey } from '../../app/actions/keys/revokeKey.ts';
import { rotateKey } from '../../app/actions/keys/rotateKey.ts';
import { isId } from '../../app/domain/id.ts';
import { NewKey, Pause, Revocation, Rotation } from '../../app/domain/keyInput.ts';
import { keyStatus } from '../../app/domain/keyStatus.ts';
import { iso } from '../../app/domain/times.ts';
import { maskKey } from '../../app/domain/token.ts';
import { presentIssuedKey, presentKey, presentRevoked } from '../../app/api/answers/key.ts';
import type { Db } from '../../db/connection/connect.ts';
import { EVERY_TENANT } from '../../db/tables/keys/apiKeyFilter.ts';
import { listApiKeys } from '../../db/tables/keys/apiKeyList.ts';
import { findRelatedKeys } from '../../db/tables/keys/apiKeyRotations.ts';
import { findKeyOfAnyTenant, type ApiKey } from '../../db/tables/keys/apiKeys.ts';
import type { Args } from './args.ts';
import type { Command, Result, Workbench } from './command.ts';
import { table } from './table.ts';
import { CommandError } from './commandErrors.ts';
import { tenantNamed } from './tenants.ts';

export const keyCreate: Command = {
  name: 'key create',
  about: 'Issue a key for a tenant and show it, this once; without --scopes by the default of its policy',
  options: {
    tenant: { value: 'TENANT', required: true },
    name: { value: 'NAME', required: true },
    scopes: { value: 'SCOPE,SCOPE' },
    'expires-in-days': { value: 'DAYS' },
    environment: { value: 'live|test' },
    'rate-limit': { value: 'REQUESTS/SECONDS' },
  },
  async run({ services, now }, args) {
    const wish = args.readAll(NewKey, {
      name: args.text('name'),
      scopes: args
        .optional('scopes')
        ?.split(',')
        .map((scope) => scope.trim()),
      expiresInDays: args.wholeNumber('expires-in-days'),
      environment: args.optional('environment'),
      rateLimit: args.rate('rate-limit'),
    });
    const { id } = await tenantNamed(services.db, args.text('tenant'));
    const act = systemContext(services.db, id, now);
    return shown('Created', await args.run(async () => issueKey(act, services.config.keys, wish)), now);
  },
};

export const keyList: Command = {
  name: 'key list',
  about: 'List the keys of a tenant, revoked ones included',
  options: { tenant: { value: 'TENANT', required: true } },
  async run({ services, now }, args) {
    const { id } = await tenantNamed(services.db, args.text('tenant'));
    const keys = await allKeys(services.db, id, now);
    return {
      lines: table([
        ['ID', 'KEY', 'NAME', 'STATUS', 'SCOPES', 'LAST USED'],
        ...keys.map((key) => [
          key.id,
          masked(key),
          key.name,
          keyStatus(key, now),
          key.scopes.join(','),
          iso(key.lastUsedAt) ?? 'never',
        ]),
      ]),
      json: { data: keys.map((key) => presentKey(key, now)) },
    };
  },
};

export const keyRotate: Command = {
  name: 'key rotate',
  about: 'Put a new key in the place of one and show it, this once; the old one ends at once or after the grace',
  operand: 'ID',
  options: { 'grace-period-seconds': { value: 'SECONDS' } },
  async run({ services, now }, args) {
    const rotation = args.readAll(Rotation, { gracePeriodSeconds: args.wholeNumber('grace-period-seconds') });
    const key = await keyWithId(services.db, args.operand);
    const act = systemContext(services.db, key.tenantId, now);
    return shown('Rotated', await rotateKey(act, services.config.keys, key.id, rotation), now);
  },
};

export const keyRevoke: Command = {
  name: 'key revoke',
  about: 'End a key for good, in every process at once',
  operand: 'ID',
  options: { reason: { value: 'TEXT' } },
  async run({ services, now }, args) {
    const key = await keyWithId(services.db, args.operand);
    const act = systemContext(services.db, key.tenantId, now);
    const revoked = await revokeKey(act, key.id, args.readAll(Revocation, { reason: args.optional('reason') }));
    const related = await findRelatedKeys(services.db, revoked, now);
    return {
      lines: [
        `Revoked ${revoked.name} (${masked(revoked)}) at ${iso(revoked.revokedAt)}`,
        ...tellWorking('A key that replaced it', related.newer),
        ...tellWorking('A key that it replaced', related.older),
      ],
      json: presentRevoked(revoked),
    };
  },
};

/** What a rotation left working, so that nobody takes it for ended. */
function tellWorking(what: string, keys: readonly ApiKey[]): string[] {
  return keys.flatMap((key) => {
    const until = key.graceEndsAt === null ? '' : ` until ${iso(key.graceEndsAt)}`;
    return [`${what}, ${masked(key)}, still works${until}.`, `To end that too: key revoke ${key.id}`];
  });
}

const masked = ({ keyPrefix, lastFour }: ApiKey) => maskKey(keyPrefix, lastFour);

export const keyPause: Command = {
  name: 'key pause',
  about: 'Refuse a key, in every process at once, until it is resumed',
  operand: 'ID',
  options: { reason: { value: 'TEXT' } },
  run: async (work, args) => changePause('Paused', pauseKey, work, args),
};

export const keyResume: Command = {
  name: 'key resume',
  about: 'Let a paused key work again',
  operand: 'ID',
  options: { reason: { value: 'TEXT' } },
  run: async (work, args) => changePause('Resumed', resumeKey, work, args),
};

async function changePause(
  done: string,
  change: typeof pauseKey,
  { services, now }: Workbench,
  args: Args,
): Promise<Result> {
  const { id, tenantId } = await keyWithId(services.db, args.operand);
  const reason = args.readAll(Pause, { reason: args.optional('reason') });
  const key = await change(systemContext(services.db, tenantId, now), id, reason);
  return { lines: [`${done} ${key.name} (${masked(key)})`], json: presentKey(key, now) };
}

const PAGE = 500;

async function allKeys(db: Db, tenantId: string, now: number): Promise<ApiKey[]> {
  const keys: ApiKey[] = [];
  for (;;) {
    const page = { sort: 'createdAt', descending: true, offset: keys.length, limit: PAGE } as const;
    const found = await listApiKeys(db, tenantId, { now }, page);
    keys.push(...found);
    if (found.length < PAGE) return keys;
  }
}

async function keyWithId(db: Db, id: string): Promise<ApiKey> {
  const key = isId(id) ? await findKeyOfAnyTenant(db, EVERY_TENANT, id) : undefined;
  if (!key) throw new CommandError(`There is no key with the id ${id}: key list shows them.`);
  return key;
}

function shown(done: string, issued: IssuedKey, now: number): Result {
  const { key, text } = issued;
  return {
    lines: [
      `${done} ${key.name}: id ${key.id}, scopes ${key.scopes.join(', ')}, expires ${iso(key.expiresAt) ?? 'never'}`,
      'The key, shown this once:',
      text,
    ],
    json: presentIssuedKey(issued, now),
  };
}
