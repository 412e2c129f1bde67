import type { AppId } from '../../../app/domain/apps.ts';
import type { KeyChange, NewKey } from '../../../app/domain/keyInput.ts';
import type { Host, PersonName, TenantName } from './people.ts';

/** When a program calls in the course of a day and a week. */
export type Rhythm = 'busy' | 'regular' | 'office' | 'nightly' | 'builds' | 'rare';

/** The requests that a program makes with its key. */
export interface Traffic {
  rhythm: Rhythm;
  /** Its part of all requests, against those of the other programs. */
  share: number;
  /** `GET /api/v1/projects`, and how often against the others. */
  routes: Readonly<Record<string, number>>;
  hosts: readonly Host[];
  /** The day it stopped calling, if it did before its key ended. */
  untilDaysAgo?: number;
}

/** A program or person with a key, and with those that took its place one after another. */
export interface Line {
  tenant: TenantName;
  by: PersonName;
  daysAgo: number;
  /** What it was made as; for an app the app says so itself. */
  key: Partial<NewKey> & { name: string };
  app?: AppId;
  /** Absent for a key that never ends. */
  lifeDays?: number;
  changes?: readonly { daysAgo: number; by: PersonName; change: KeyChange }[];
  rotations?: readonly { daysAgo: number; by: PersonName; graceHours: number }[];
  revoked?: { daysAgo: number; by: PersonName; reason: string };
  traffic?: Traffic;
  /** Its key is printed at the end, to be tried. */
  shown?: true;
}

const AGENTS = {
  axios: 'axios/1.10.0',
  curl: 'curl/8.14.1',
  go: 'Go-http-client/2.0',
  java: 'okhttp/4.12.0',
  node: 'node',
  php: 'GuzzleHttp/7',
  python: 'python-requests/2.32.4',
  ruby: 'Faraday v2.13.1',
} as const;

/** One or more addresses with the same program on them. */
export function hosts(program: keyof typeof AGENTS, ...addresses: string[]): Host[] {
  return addresses.map((ip) => ({ ip, agent: AGENTS[program] }));
}
