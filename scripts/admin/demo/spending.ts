import { planLimits } from '../../../app/domain/plan.ts';
import { monthOf } from '../../../app/domain/times.ts';
import type { JournalEntry } from '../../../app/usage/usageEvent.ts';
import type { Db } from '../../../db/connection/connect.ts';
import { spendQuota, startQuota } from '../../../db/tables/keys/apiKeyQuotas.ts';
import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { findTenant } from '../../../db/tables/tenants.ts';
import { HOUR_MS } from './world.ts';

/** Adds up the cost of each request, so that the quotas are as they would be in use. */
export class Spending {
  readonly #successors = new Map<string, ApiKey[]>();
  readonly #months = new Map<number, string>();
  readonly #keys: readonly ApiKey[];
  /** By key and month. */
  readonly #cost = new Map<string, Map<string, number>>();

  /** The keys of each program, each in the place of the one before. */
  constructor(chains: readonly (readonly ApiKey[])[]) {
    this.#keys = chains.flat();
    for (const chain of chains) {
      for (const [place, { id }] of chain.entries()) this.#successors.set(id, chain.slice(place + 1));
    }
  }

  add(uses: readonly JournalEntry[]): void {
    for (const { keyId, statusCode, createdAt: at } of uses) {
      // What the guards refuse costs nothing.
      if (statusCode === 403) continue;
      const month = this.#monthOf(at);
      this.#spend(keyId, month);
      for (const next of this.#successors.get(keyId) ?? []) {
        // A key begins where the one it replaces stood in that month.
        if (at < next.createdAt && monthOf(next.createdAt) === month) this.#spend(next.id, month);
      }
    }
  }

  /** Stores it for the keys that have a quota, of their own or by their plan. */
  async write(db: Db): Promise<void> {
    const plans = new Map<string, number | null>();
    for (const { id, tenantId, monthlyQuota } of this.#keys) {
      if (!plans.has(tenantId)) plans.set(tenantId, await quotaOfPlan(db, tenantId));
      const quota = monthlyQuota ?? plans.get(tenantId) ?? null;
      if (quota === null) continue;
      for (const [month, cost] of this.#cost.get(id) ?? []) {
        await startQuota(db, id, month);
        await spendQuota(db, { keyId: id, month, quota, cost });
      }
    }
  }

  /** Remembered by the hour, since a year has a million requests. */
  #monthOf(at: number): string {
    const hour = Math.floor(at / HOUR_MS);
    const month = this.#months.get(hour) ?? monthOf(at);
    this.#months.set(hour, month);
    return month;
  }

  #spend(keyId: string, month: string): void {
    const months = this.#cost.get(keyId) ?? new Map<string, number>();
    this.#cost.set(keyId, months.set(month, (months.get(month) ?? 0) + 1));
  }
}

async function quotaOfPlan(db: Db, tenantId: string): Promise<number | null> {
  return planLimits((await findTenant(db, tenantId))?.plan ?? '').monthlyQuota;
}
