import type { Command } from './command.ts';
import { demoCommand } from './demo.ts';
import { keyImport } from './importKeys.ts';
import { keyCreate, keyList, keyPause, keyResume, keyRevoke, keyRotate } from './keys.ts';
import { migrateCommand } from './migrate.ts';
import { pruneCommand } from './prune.ts';
import { tenantActivate, tenantCreate, tenantList } from './tenants.ts';
import { tokenCommand } from './token.ts';
import { userCreate, userResetLink } from './users.ts';

/** Everything the operator's tool can do, in the order of its help. */
export const COMMANDS: readonly Command[] = [
  migrateCommand,
  pruneCommand,
  tenantCreate,
  tenantList,
  tenantActivate,
  userCreate,
  userResetLink,
  tokenCommand,
  keyCreate,
  keyList,
  keyRotate,
  keyPause,
  keyResume,
  keyRevoke,
  keyImport,
  demoCommand,
];
