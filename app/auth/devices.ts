import { createHmac, randomBytes } from 'node:crypto';
import type { Db } from '../../db/connection/connect.ts';
import { passwordTimes } from '../../db/tables/people/users.ts';
import { normaliseEmail } from '../domain/email.ts';
import { sameHash } from '../domain/token.ts';
import { accountOf } from '../limits/loginThrottle.ts';

/** How long a browser counts as known after a login. */
export const DEVICE_SECONDS = 365 * 24 * 3600;

/** Recognises the browsers in which a person has signed in before, by a signed cookie. */
export interface Devices {
  /**
   * The id of the browser that sends this text, if it has signed in to the account of this email since its last change
   * of password; otherwise undefined, without a query if the signature is wrong.
   */
  known(text: string | undefined, email: string): Promise<string | undefined>;
  /** The cookie for a browser that has just signed in; a known browser keeps its id. */
  textFor(email: string, now: number, id?: string): string;
}

const TEXT = /^(?<id>[\w-]{22})\.(?<time>\d{13})\.(?<signature>[\w-]{43})$/;

/**
 * Signs with the secret of the tokens. The account is in the signature alone, so that the cookie does not reveal it.
 */
export function createDevices(db: Db, secret: string): Devices {
  const signatureOf = (email: string, id: string, time: number) =>
    createHmac('sha256', secret)
      .update(`known device\0${accountOf(email)}\0${id}\0${time}`)
      .digest('base64url');
  return {
    async known(text, email) {
      const { id = '', time = '', signature = '' } = TEXT.exec(text ?? '')?.groups ?? {};
      const signedAt = Number(time);
      const isOurs = sameHash(Buffer.from(signature), Buffer.from(signatureOf(email, id, signedAt)));
      if (!isOurs || Date.now() > signedAt + DEVICE_SECONDS * 1000) return undefined;
      const times = await passwordTimes(db, normaliseEmail(email) ?? '');
      return times && signedAt >= (times.changedAt ?? 0) ? id : undefined;
    },
    textFor(email, now, id = randomBytes(16).toString('base64url')) {
      return `${id}.${now}.${signatureOf(email, id, now)}`;
    },
  };
}
