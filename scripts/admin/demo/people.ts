import type { Locale } from '../../../app/domain/locale.ts';
import type { Permission, Role } from '../../../app/domain/role.ts';

/** A client of the demo: a documentation address and a user agent. */
export interface Host {
  ip: string;
  agent: string;
}

/** The tenants, with the day each came. */
export const TENANTS = {
  harbor: { name: 'Harbor Logistics', daysAgo: 365 },
  lumen: { name: 'Lumen Health', daysAgo: 300 },
  pico: { name: 'Pico Studio', daysAgo: 145 },
} as const;
export type TenantName = keyof typeof TENANTS;

/** A membership and its inviter; the command line brings in the first owner. */
export interface Joining {
  tenant: TenantName;
  daysAgo: number;
  role: Role;
  permissions?: readonly Permission[];
  by?: PersonName;
}

export type PersonName = 'ada' | 'ben' | 'chloe' | 'diego' | 'elif' | 'farid' | 'grace' | 'hana';

export interface DemoPerson {
  name: string;
  email: string;
  host: Host;
  locale?: Locale;
  /** How often a week they sign in. */
  loginsAWeek: number;
  joins: readonly Joining[];
}

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36';
const SAFARI =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15';

const MANAGES_KEYS = ['api-keys:read', 'api-keys:manage', 'audit:read'] as const;

/** All people of the demo; Ada sets the installation up and is its operator. */
export const PEOPLE: Readonly<Record<PersonName, DemoPerson>> = {
  ada: {
    name: 'Ada Marsh',
    email: 'ada@example.com',
    host: { ip: '203.0.113.10', agent: FIREFOX },
    loginsAWeek: 2,
    joins: [],
  },
  ben: {
    name: 'Ben Okafor',
    email: 'ben@example.com',
    host: { ip: '203.0.113.11', agent: CHROME },
    loginsAWeek: 1,
    joins: [{ tenant: 'harbor', daysAgo: 362, role: 'ADMIN', permissions: ['api-keys:manage'], by: 'ada' }],
  },
  chloe: {
    name: 'Chloé Laurent',
    email: 'chloe@example.com',
    host: { ip: '2001:db8:40::15', agent: SAFARI },
    locale: 'fr',
    loginsAWeek: 1,
    joins: [
      { tenant: 'harbor', daysAgo: 330, role: 'MEMBER', by: 'ada' },
      { tenant: 'pico', daysAgo: 125, role: 'ADMIN', permissions: ['members:read'], by: 'hana' },
    ],
  },
  diego: {
    name: 'Diego Ruiz',
    email: 'diego@example.com',
    host: { ip: '203.0.113.12', agent: CHROME },
    loginsAWeek: 1,
    joins: [{ tenant: 'harbor', daysAgo: 210, role: 'MEMBER', permissions: ['tickets:manage'], by: 'ada' }],
  },
  elif: {
    name: 'Elif Kaya',
    email: 'elif@example.com',
    host: { ip: '198.51.100.20', agent: SAFARI },
    loginsAWeek: 2,
    joins: [{ tenant: 'lumen', daysAgo: 299, role: 'OWNER' }],
  },
  farid: {
    name: 'Farid Haddad',
    email: 'farid@example.com',
    host: { ip: '198.51.100.21', agent: FIREFOX },
    loginsAWeek: 1,
    joins: [
      { tenant: 'lumen', daysAgo: 296, role: 'ADMIN', permissions: MANAGES_KEYS, by: 'elif' },
      { tenant: 'pico', daysAgo: 90, role: 'MEMBER', by: 'hana' },
    ],
  },
  grace: {
    name: 'Grace Lin',
    email: 'grace@example.com',
    host: { ip: '2001:db8:51::7', agent: CHROME },
    loginsAWeek: 1,
    joins: [{ tenant: 'lumen', daysAgo: 150, role: 'MEMBER', permissions: ['api-keys:read'], by: 'elif' }],
  },
  hana: {
    name: 'Hana Sato',
    email: 'hana@example.com',
    host: { ip: '192.0.2.30', agent: SAFARI },
    loginsAWeek: 1,
    joins: [{ tenant: 'pico', daysAgo: 144, role: 'OWNER' }],
  },
};
