import type { Locale, Theme } from '../../../app/domain/locale.ts';
import type { Db } from '../../connection/connect.ts';

export const USER_STATUSES = ['active', 'disabled'] as const;
export type UserStatus = (typeof USER_STATUSES)[number];

export interface User {
  id: string;
  email: string;
  name: string;
  /** Null for a person who cannot sign in by password. */
  passwordHash: string | null;
  status: UserStatus;
  /** Stands above tenants. */
  operator: boolean;
  /** Whether an operator made the account, or the link by which its password was chosen. */
  vouched: boolean;
  /** The only tenant the account may act in until its password is reset by an operator's link; null for no limit. */
  confinedTo: string | null;
  createdAt: number;
  updatedAt: number;
  lastLoginAt: number | null;
}

interface Row {
  id: string;
  email: string;
  name: string;
  password_hash: string | null;
  status: string;
  operator: number | boolean;
  created_at: number;
  updated_at: number;
  last_login_at: number | null;
  password_changed_at: number | null;
  vouched_at: number | null;
  confined_to: string | null;
  locale: string | null;
  theme: string | null;
}

export interface NewUser {
  id: string;
  email: string;
  name: string;
  passwordHash: string | null;
  operator: boolean;
  vouched: boolean;
}

export async function insertUser(db: Db, user: NewUser, now: number): Promise<void> {
  const { id, email, name, passwordHash, operator, vouched } = user;
  await table(db).insert({
    id,
    email,
    name,
    password_hash: passwordHash,
    operator,
    vouched_at: vouched ? now : null,
    created_at: now,
    updated_at: now,
  });
}

export async function findUser(db: Db, id: string): Promise<User | undefined> {
  const row = await table(db).where({ id }).first();
  return row && userOf(row);
}

/** The person with this email, which must be in its one spelling. */
export async function findUserByEmail(db: Db, email: string): Promise<User | undefined> {
  const row = await table(db).where({ email }).first();
  return row && userOf(row);
}

/** When the password of this email's account was last changed, null for never; undefined if there is no account. */
export async function passwordTimes(db: Db, email: string): Promise<{ changedAt: number | null } | undefined> {
  const row = await table(db).where({ email }).first('password_changed_at');
  return row && { changedAt: row.password_changed_at };
}

/** Whether anybody was set up yet. */
export async function hasAnyUser(db: Db): Promise<boolean> {
  return (await table(db).first('id')) !== undefined;
}

/** Finds one person and locks them until the transaction ends. */
export async function lockUser(trx: Db, id: string): Promise<User | undefined> {
  const row = await table(trx).where({ id }).forUpdate().first();
  return row && userOf(row);
}

export async function renameUser(db: Db, id: string, name: string, now: number): Promise<void> {
  await table(db).where({ id }).update({ name, updated_at: now });
}

export async function changeUserStatus(db: Db, id: string, status: UserStatus, now: number): Promise<void> {
  await table(db).where({ id }).update({ status, updated_at: now });
}

/** The active operators, held until the transaction ends so that the last one cannot be lost twice at once. */
export async function lockOperators(trx: Db): Promise<string[]> {
  const rows = await table(trx).where({ operator: true, status: 'active' }).forUpdate().select('id');
  return rows.map((row) => row.id);
}

export async function updateLastLogin(db: Db, id: string, now: number): Promise<void> {
  await table(db).where({ id }).update({ last_login_at: now });
}

/** A status that this release does not know counts as disabled. */
export function userStatusOf(text: string): UserStatus {
  return text === 'active' ? 'active' : 'disabled';
}

/** Changes the person's preferences; absent ones stay as they are, and no theme is that of the system. */
export async function changePreferences(
  db: Db,
  id: string,
  preferences: { locale?: Locale; theme?: Theme | null },
): Promise<void> {
  await table(db).where({ id }).update(preferences);
}

export async function changePasswordHash(db: Db, id: string, passwordHash: string, now: number): Promise<void> {
  await table(db).where({ id }).update({ password_hash: passwordHash, password_changed_at: now, updated_at: now });
}

/** Changes the password through an operator's link, after which only the person knows it. */
export async function resetPasswordHash(db: Db, id: string, passwordHash: string, now: number): Promise<void> {
  await changePasswordHash(db, id, passwordHash, now);
  // Tokens count whole seconds; rounding up also refuses one that was issued earlier in this second.
  const changedAt = Math.ceil(now / 1000) * 1000;
  await table(db).where({ id }).update({ password_changed_at: changedAt, vouched_at: now, confined_to: null });
}

function table(db: Db) {
  return db<Row>('users');
}

function userOf(row: Row): User {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    passwordHash: row.password_hash,
    status: userStatusOf(row.status),
    operator: Boolean(row.operator),
    vouched: row.vouched_at !== null,
    confinedTo: row.confined_to,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastLoginAt: row.last_login_at,
  };
}
