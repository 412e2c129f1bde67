import { newId } from '../../app/domain/id.ts';
import type { Db } from '../connection/connect.ts';
import { rowsOf, type RawDb } from '../connection/rawDb.ts';

/** What holds for the whole installation: what operators decide, and whether keys were imported that were issued elsewhere. */
export const SETTING_NAMES = ['scopes', 'forward_auth_rules', 'foreign_keys'] as const;
export type SettingName = (typeof SETTING_NAMES)[number];

/** A setting as it is stored. */
export interface StoredSetting {
  /** Replaced by every change with one that was never used before. */
  revision: string;
  /** JSON; null until it is set for the first time. */
  value: string | null;
}

interface Row extends StoredSetting {
  name: string;
  updated_at: number;
}

export async function findSetting(db: RawDb, name: SettingName): Promise<StoredSetting> {
  const [row] = await rowsOf<StoredSetting>(db, 'select revision, value from installation_settings where name = ?', [
    name,
  ]);
  return settingOf(name, row);
}

/** Finds a setting and locks it until the transaction ends. */
export async function lockSetting(trx: Db, name: SettingName): Promise<StoredSetting> {
  return settingOf(name, await table(trx).where({ name }).forUpdate().first());
}

/** Finds a setting and keeps others from changing it until the transaction ends; many may do so at once. */
export async function shareSetting(trx: Db, name: SettingName): Promise<StoredSetting> {
  return settingOf(name, await table(trx).where({ name }).forShare().first());
}

/** Replaces a setting, and gives its new revision. */
export async function replaceSetting(trx: Db, name: SettingName, value: string, now: number): Promise<string> {
  const revision = newId();
  await table(trx).where({ name }).update({ revision, value, updated_at: now });
  return revision;
}

function settingOf(name: SettingName, row: StoredSetting | undefined): StoredSetting {
  if (!row) throw new Error(`the row of the setting ${name} is missing from installation_settings`);
  return { revision: row.revision, value: row.value };
}

function table(db: Db) {
  return db<Row>('installation_settings');
}
