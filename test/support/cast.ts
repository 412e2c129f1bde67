import { addMember, type MemberInput } from '../../app/actions/people/addMember.ts';
import { systemContext } from '../../app/actions/actionContext.ts';
import { createTenant, type CreatedTenant } from '../../app/actions/tenants/createTenant.ts';
import { addUser } from '../../app/actions/people/createUser.ts';
import { newId } from '../../app/domain/id.ts';
import { hashPassword } from '../../app/auth/passwords.ts';
import { issueToken } from '../../app/auth/tokens.ts';
import type { Services } from '../../app/services.ts';
import { transaction } from '../../db/connection/connect.ts';
import type { Headers } from './http.ts';

/** What everybody of the cast signs in with. */
export const PASSWORD = 'correct horse battery staple';

/** Somebody with an account, and the tenant they act for unless a test says otherwise. */
export interface Player {
  id: string;
  email: string;
  name: string;
  tenant: CreatedTenant;
  token: string;
}

export interface Cast {
  acme: CreatedTenant;
  globex: CreatedTenant;
  /** OWNER of Acme. */
  alice: Player;
  /** MEMBER of Acme. */
  bob: Player;
  /** ADMIN of Acme. */
  carol: Player;
  /** OWNER of Globex: the outsider. */
  charlie: Player;
}

/** Makes the two tenants and their four people in the server's database, which is empty before. */
export async function castOf({ services }: { services: Services }): Promise<Cast> {
  const acme = await addTenant(services, 'Acme');
  const globex = await addTenant(services, 'Globex');
  return {
    acme,
    globex,
    alice: await addPlayer(services, acme, 'Alice', { role: 'OWNER' }),
    bob: await addPlayer(services, acme, 'Bob', { role: 'MEMBER' }),
    carol: await addPlayer(services, acme, 'Carol', { role: 'ADMIN' }),
    charlie: await addPlayer(services, globex, 'Charlie', { role: 'OWNER' }),
  };
}

/** The headers of a person's request to `/api`: their token, and the tenant they act for. */
export function as(player: Player, tenant: { id: string } = player.tenant): Headers {
  return { ...bearer(player), 'x-tenant-id': tenant.id };
}

/** The header of a person's request to `/api/v1`, where a person of one tenant need not name it. */
export function bearer({ token }: { token: string }): Headers {
  return { Authorization: `Bearer ${token}` };
}

export async function addTenant({ db }: Services, name: string): Promise<CreatedTenant> {
  return createTenant(systemContext(db, ''), { name });
}

export interface Part extends MemberInput {
  operator?: boolean;
}

/** Makes a person with this part in the tenant; `alice@acme.example` for Alice. */
export async function addPlayer(
  { db, config, secret }: Services,
  tenant: CreatedTenant,
  name: string,
  { operator = false, ...membership }: Part,
): Promise<Player> {
  const id = newId();
  const email = `${name.toLowerCase()}@${tenant.slug}.example`;
  const act = systemContext(db, tenant.id);
  const passwordHash = await (hashed ??= hashPassword(PASSWORD));
  await transaction(db, async (trx) => addUser(trx, act, id, { email, name, passwordHash, operator, membership }));
  return { id, email, name, tenant, token: issueToken(config.jwt, secret, { userId: id }, act.now) };
}

/** Takes somebody into one more tenant, so that only `x-tenant-id` says which one they act for. */
export async function joinTenant(
  { db }: Services,
  player: Player,
  tenant: CreatedTenant,
  part: MemberInput,
): Promise<void> {
  await addMember(systemContext(db, tenant.id), player.id, part);
}

/** Hashing takes long on purpose, and one password is as good as four. */
let hashed: Promise<string> | undefined;
