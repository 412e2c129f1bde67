import type { Db } from '../../connection/connect.ts';

/** A link by which a person chooses a new password, once. */
export interface PasswordReset {
  userId: string;
  createdAt: number;
  expiresAt: number;
}

interface Row {
  user_id: string;
  token_hash: Uint8Array;
  created_at: number;
  expires_at: number;
}

/** Inserts a link and deletes the earlier one of the same person. */
export async function replacePasswordReset(
  trx: Db,
  { userId, createdAt, expiresAt }: PasswordReset,
  tokenHash: Buffer,
): Promise<void> {
  await table(trx).where({ user_id: userId }).delete();
  await table(trx).insert({ user_id: userId, token_hash: tokenHash, created_at: createdAt, expires_at: expiresAt });
}

export async function findPasswordReset(db: Db, tokenHash: Buffer): Promise<PasswordReset | undefined> {
  const row = await table(db).where({ token_hash: tokenHash }).first();
  return row && { userId: row.user_id, createdAt: row.created_at, expiresAt: row.expires_at };
}

/** Uses the link up; false where it was used or replaced already. */
export async function deletePasswordReset(trx: Db, tokenHash: Buffer): Promise<boolean> {
  return (await table(trx).where({ token_hash: tokenHash }).delete()) > 0;
}

function table(db: Db) {
  return db<Row>('password_resets');
}
