import type { Db } from '../../db/connection/connect.ts';
import type { Config } from '../config.ts';
import type { Middleware } from '../context.ts';
import { createQuotas, type Quotas } from './quota.ts';
import type { Log } from '../log.ts';
import { addressLimit, callerLimit, type CountKey, type CountPerson, type LimitedKey } from './rateLimit.ts';
import { loginThrottle, type LoginThrottle } from './loginThrottle.ts';
import { AddressCounter } from './callerAddress.ts';
import type { CostCounter, Counter } from './count.ts';
import { DoubtfulLookups } from './doubtfulLookups.ts';
import { keyCounters } from './keyCounters.ts';
import { LocalCounter } from './localCounter.ts';
import { RedisLink } from './redisLink.ts';
import { SharedCounter } from './sharedCounter.ts';
import { SpentAddresses } from './spentAddresses.ts';

/** Everything that says no to too many requests; one set per process. */
export interface Limits {
  /** After `authenticate`: the burst limit and the monthly quota of a key, or the limit of a person. */
  caller: Middleware;
  /** Inside `authenticate`, and before the login: the limit of an address that shows neither a valid key nor a valid token. */
  address: Middleware;
  /** When the database is asked about credentials from addresses over their limit. */
  doubtful: DoubtfulLookups;
  login: LoginThrottle;
  /** Wrong passwords of support staff, by address. */
  support: Counter;
  /** The burst limit of a key, for routes that judge keys other than their caller's. */
  countKey: CountKey;
  /** How that limit stands, with nothing counted. */
  peekKey: CountKey;
  quotas: Quotas;
  close(): void;
}

/** The limits as configured: shared through Redis where there is one, otherwise counted by this process. */
export function createLimits({ limits, redisUrl }: Config, log: Log, db: Db): Limits {
  const link = redisUrl === undefined ? undefined : new RedisLink(redisUrl, log);
  const counter = (name: string): CostCounter => {
    const local = new LocalCounter(name);
    return link ? new SharedCounter(name, link, local) : local;
  };
  const keys = counter('key');
  const rateOf = ({ tenant, home = tenant, rateLimit }: LimitedKey) =>
    rateLimit ?? home.policy.defaultRateLimit ?? limits.key;
  const counterOf = keyCounters(db);
  const countedBy =
    (count: CostCounter['takeCost']): CountKey =>
    (key, cost = 1) => {
      const rate = rateOf(key);
      if (!rate) return undefined;
      const counter = counterOf(key);
      return typeof counter === 'string' ? count(counter, rate, cost) : counter.then((id) => count(id, rate, cost));
    };
  const countKey = countedBy((id, rate, cost) => keys.takeCost(id, rate, cost));
  const people = counter('person');
  const countPerson: CountPerson = (id) => limits.person && people.take(id, limits.person);
  const addresses = (name: string) => new AddressCounter(counter(name));
  const spent = new SpentAddresses();
  const quotas = createQuotas(db, Date.now, counterOf);
  return {
    caller: callerLimit(countKey, countPerson, quotas),
    address: addressLimit(addresses('address'), limits.address, { countKey, countPerson, spent }),
    doubtful: new DoubtfulLookups(spent),
    login: loginThrottle(limits.login, {
      accounts: counter('login-account'),
      devices: counter('login-device'),
      addresses: addresses('login-address'),
    }),
    support: addresses('support'),
    countKey,
    peekKey: countedBy((id, rate, cost) => keys.peek(id, rate, cost)),
    quotas,
    close: () => link?.close(),
  };
}
