import { randomBytes } from 'node:crypto';
import argon2 from '@node-rs/argon2';
import { cleanPassword } from '../domain/password.ts';
import { widerCallerOf } from '../limits/callerAddress.ts';
import { fairQueue, type QueuePlace } from './fairQueue.ts';

/** OWASP's first choice for argon2id: 19 MiB and about 40 ms a hash. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Two at a time leave threads of the pool for other work; four hundred waiting take about eight seconds. */
const hashQueue = fairQueue(2, 400);

/** The client on whose request a password is hashed. */
export interface HashRequester {
  /** Null where it is unknown. */
  ip: string | null;
  /** The browser that has signed in to the account before. */
  device?: string | undefined;
}

const UNKNOWN_REQUESTER: HashRequester = { ip: null };

/** Known browsers have lines of their own, which guessers cannot fill; all others queue by network. */
function queuePlaceOf({ ip, device }: HashRequester): QueuePlace {
  return device === undefined ? { line: widerCallerOf(ip ?? '') } : { line: device, preferred: true };
}

/** A hash that no password matches, which costs as much to check as any other. */
const DUMMY_HASH = `$argon2id$v=19$m=${COST.memoryCost},t=${COST.timeCost},p=${COST.parallelism}$${unpadded(16)}$${unpadded(32)}`;

/** The text to store for a password: argon2id with its own salt and cost in it. */
export async function hashPassword(password: string, by = UNKNOWN_REQUESTER): Promise<string> {
  return hashQueue(async () => argon2.hash(cleanPassword(password), COST), queuePlaceOf(by));
}

/** Whether the password matches the hash; without a hash it spends the same work and returns false. */
export async function checkPassword(hash: string | null, password: string, by = UNKNOWN_REQUESTER): Promise<boolean> {
  const matches = await hashQueue(
    async () => argon2.verify(hash ?? DUMMY_HASH, cleanPassword(password)),
    queuePlaceOf(by),
  );
  return matches && hash !== null;
}

function unpadded(bytes: number): string {
  return randomBytes(bytes).toString('base64').replace(/=+$/, '');
}
