import type { Db } from '../../../db/connection/connect.ts';
import { listAppKeys } from '../../../db/tables/keys/apiKeys.ts';
import { listAppInstalls } from '../../../db/tables/product/appInstalls.ts';

/** The installed apps whose token still works. */
export async function installedApps(db: Db, tenantId: string, now: number): Promise<ReadonlySet<string>> {
  const installed = new Set((await listAppInstalls(db, tenantId)).map(({ app }) => app));
  const working = (await listAppKeys(db, tenantId, now)).map(({ app }) => app);
  return new Set(working.filter((app) => installed.has(app)));
}
