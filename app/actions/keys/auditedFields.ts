import { CHOSEN_FIELDS, shownFields, type ApiKey } from '../../../db/tables/keys/apiKeyFields.ts';

/** Scopes have an entry of their own in the audit log. */
const AUDITED = CHOSEN_FIELDS.filter((field) => field !== 'scopes');

/** What the audit log tells of a key, beside its scopes: what was chosen for it, never what it is known by. */
export function auditedFields(key: ApiKey): Record<string, unknown> {
  return shownFields(key, AUDITED);
}
