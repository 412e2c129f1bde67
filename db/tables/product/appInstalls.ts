import type { Db } from '../../connection/connect.ts';

/** An app in use by a tenant, with the token it was given at first. */
export interface AppInstall {
  id: string;
  tenantId: string;
  app: string;
  keyId: string;
  installedBy: string | null;
  installedAt: number;
}

interface Row {
  id: string;
  tenant_id: string;
  app: string;
  key_id: string;
  /** 1, or null once removed: the unique index takes one 1 for each app, and any number of nulls. */
  active: number | null;
  installed_by: string | null;
  installed_at: number;
  removed_at: number | null;
}

/** Adds an install; a second one in use of the same app is refused by the database as a duplicate. */
export async function insertAppInstall(db: Db, install: AppInstall): Promise<void> {
  await table(db).insert({
    id: install.id,
    tenant_id: install.tenantId,
    app: install.app,
    key_id: install.keyId,
    active: 1,
    installed_by: install.installedBy,
    installed_at: install.installedAt,
  });
}

/** The install of the app in use, held until the transaction ends. */
export async function lockAppInstall(trx: Db, tenantId: string, app: string): Promise<AppInstall | undefined> {
  const row = await table(trx).where({ tenant_id: tenantId, app, active: 1 }).forUpdate().first();
  return row && installOf(row);
}

/** The installs in use. */
export async function listAppInstalls(db: Db, tenantId: string): Promise<AppInstall[]> {
  const rows = await table(db).where({ tenant_id: tenantId, active: 1 }).orderBy('app');
  return rows.map(installOf);
}

/** Takes an install out of use; it stays as history. */
export async function removeAppInstall(trx: Db, { id, tenantId }: AppInstall, now: number): Promise<void> {
  await table(trx).where({ tenant_id: tenantId, id }).update({ active: null, removed_at: now });
}

function installOf(row: Row): AppInstall {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    app: row.app,
    keyId: row.key_id,
    installedBy: row.installed_by,
    installedAt: row.installed_at,
  };
}

function table(db: Db) {
  return db<Row>('app_installs');
}
