import type { Db } from '../connection/connect.ts';

/** A form that made a key, and which one. */
export interface SentForm {
  userId: string;
  formId: string;
  keyId: string;
  createdAt: number;
}

interface Row {
  user_id: string;
  form_id: string;
  key_id: string;
  created_at: number;
}

/** Keeps that the form was sent; of two at once the primary key refuses one. */
export async function insertSentForm(db: Db, { userId, formId, keyId, createdAt }: SentForm): Promise<void> {
  await table(db).insert({ user_id: userId, form_id: formId, key_id: keyId, created_at: createdAt });
}

/** The key that the form made; undefined where it was not sent yet. */
export async function keyMadeByForm(db: Db, userId: string, formId: string): Promise<string | undefined> {
  const row = await table(db)
    .where({ user_id: userId, form_id: formId })
    .first<Pick<Row, 'key_id'> | undefined>('key_id');
  return row?.key_id;
}

function table(db: Db) {
  return db<Row>('sent_forms');
}
