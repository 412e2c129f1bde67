import { audit } from './0003_audit.ts';
import { auditActorActions } from './0028_auditActorActions.ts';
import { idempotentRequests } from './0021_idempotentRequests.ts';
import { installationSettings } from './0017_installationSettings.ts';
import { importedKeys } from './0023_importedKeys.ts';
import { invitations } from './0012_invitations.ts';
import { keyEnds } from './0025_keyEnds.ts';
import { keyIndexes } from './0016_keyIndexes.ts';
import { keys } from './0002_keys.ts';
import { leakReports } from './0020_leakReports.ts';
import { pausedKeys } from './0019_pausedKeys.ts';
import { ownerIndexes } from './0026_ownerIndexes.ts';
import { passwords } from './0011_passwords.ts';
import { people } from './0001_people.ts';
import { plans } from './0005_plans.ts';
import { reads } from './0007_reads.ts';
import { recordKeys } from './0015_recordKeys.ts';
import { records } from './0004_records.ts';
import { sentForms } from './0006_sentForms.ts';
import { scopeIndexes } from './0024_scopeIndexes.ts';
import { scopeUses } from './0009_scopeUses.ts';
import type { Step } from './steps.ts';
import { tenantExternalIds } from './0022_tenantExternalIds.ts';
import { usage } from './0008_usage.ts';
import { usageErrors } from './0027_usageErrors.ts';
import { usageMonths } from './0010_usageMonths.ts';
import { usageSums } from './0029_usageSums.ts';

/** Every step ever released, in order. Add at the end; never edit, rename or reorder what stands. */
export const STEPS: readonly Step[] = [
  ...people,
  ...keys,
  ...audit,
  ...records,
  ...plans,
  ...sentForms,
  ...reads,
  ...usage,
  ...scopeUses,
  ...usageMonths,
  ...passwords,
  ...invitations,
  ...recordKeys,
  ...keyIndexes,
  ...installationSettings,
  ...pausedKeys,
  ...leakReports,
  ...idempotentRequests,
  ...tenantExternalIds,
  ...importedKeys,
  ...scopeIndexes,
  ...keyEnds,
  ...ownerIndexes,
  ...usageErrors,
  ...auditActorActions,
  ...usageSums,
];
