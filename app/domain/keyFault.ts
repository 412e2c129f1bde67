import { whyNotValid, type KeyStatusFacts } from './keyStatus.ts';
import { Networks } from './network.ts';
import { breaksLifetimeRules, isIdle, type Policy } from './policy.ts';

/** The closed list of what keeps a stored key from being used, whoever shows it and for whatever. */
export type KeyFault =
  'revoked' | 'expired' | 'paused' | 'owner_has_no_access' | 'unused_too_long' | 'tenant_suspended' | 'breaks_policy';

/** What decides that, of the key and of what it belongs to. */
export interface KeyFaultFacts extends KeyStatusFacts {
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  /** The person it belongs to, whose role is null once they have none in the tenant. */
  readonly owner: { readonly active: boolean; readonly role: string | null } | null;
  readonly tenant: { readonly active: boolean; readonly policy: Policy };
}

/** Says what keeps the key from being used at `now`; undefined promises that nothing of its state does. */
export function keyFault(key: KeyFaultFacts, now: number): KeyFault | undefined {
  const reason = whyNotValid(key, now);
  if (reason !== undefined) return reason;
  const { owner, tenant } = key;
  if (owner && !(owner.active && owner.role !== null)) return 'owner_has_no_access';
  if (isIdle(tenant.policy, key, now)) return 'unused_too_long';
  if (!tenant.active) return 'tenant_suspended';
  return tenant.policy.enforceOnExisting && breaksLifetimeRules(tenant.policy, key) ? 'breaks_policy' : undefined;
}

/** Whether the key may be used from the address: it lies in the key's networks and in its tenant's, where they name any. */
export function isAddressAllowed(
  { networks, tenant }: { networks: Networks | null; tenant: { policy: Policy } },
  address: string | null,
): boolean {
  const { allowedNetworks } = tenant.policy;
  return (
    (networks === null || contains(networks, address)) &&
    (allowedNetworks.length === 0 || contains(Networks.of(allowedNetworks), address))
  );
}

/** An unknown address is in no network. */
function contains(networks: Networks, address: string | null): boolean {
  return address !== null && networks.contains(address);
}
