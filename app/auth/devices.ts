import { createHmac, randomBytes } from 'node:crypto';
import type { Db } from '../../db/connection/connect.ts';
import { passwordTimes } from '../../db/tables/people/users.ts';
import { normaliseEmail } from '../domain/email.ts';
import { sameHash } from '../domain/token.ts';
import { accountOf } from '../limits/loginThrottle.ts';

/** How long a browser is known for after it signed in. */
export const DEVICE_SECONDS = 365 * 24 * 3600;

/** Knows the browsers in which somebody signed in before, by a signed text that each of them keeps. */
export interface Devices {
  /**
   * The id of the browser that shows this text, where it signed in to the account of this email since its password was
   * last changed; undefined for any other text, without asking the database where the text was not signed here.
   */
  known(text: string | undefined, email: string): Promise<string | undefined>;
  /** The text for a browser that has just signed in to this account; one that is known keeps its id. */
  textFor(email: string, now: number, id?: string): string;
}

const TEXT = /^(?<id>[\w-]{22})\.(?<time>\d{13})\.(?<signature>[\w-]{43})$/;

/** Signs with the secret that signs tokens. The account is in the signature alone, so that the text tells nobody of it. */
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
