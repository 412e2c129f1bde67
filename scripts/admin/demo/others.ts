import { hosts, type Line } from './line.ts';

const lumen = (daysAgo: number, by: Line['by'], rest: Omit<Line, 'tenant' | 'daysAgo' | 'by'>): Line => ({
  ...{ tenant: 'lumen', daysAgo, by },
  ...rest,
});
const pico = (daysAgo: number, rest: Omit<Line, 'tenant' | 'daysAgo' | 'by'>): Line => ({
  ...{ tenant: 'pico', daysAgo, by: 'hana' },
  ...rest,
});

/** A clinic network with strict rules: every key ends, and comes from known networks. */
export const LUMEN: readonly Line[] = [
  lumen(290, 'elif', {
    key: { name: 'Patient portal', scopes: ['customers:read', 'customers:write', 'files:read'] },
    lifeDays: 365,
    rotations: [{ daysAgo: 100, by: 'farid', graceHours: 24 }],
    traffic: {
      ...{ rhythm: 'busy', share: 18, hosts: hosts('node', '198.51.100.101', '2001:db8:50::a', '2001:db8:50::b') },
      routes: { 'GET /api/v1/customers/:id': 12, 'PATCH /api/v1/customers/:id': 3, 'GET /api/v1/files': 5 },
    },
  }),
  lumen(281, 'elif', {
    key: { name: 'Fax gateway', scopes: ['files:write'] },
    lifeDays: 365,
    revoked: { daysAgo: 41, by: 'elif', reason: 'Nobody sends a fax any more' },
    traffic: {
      ...{ rhythm: 'office', share: 1, hosts: hosts('php', '198.51.100.150'), untilDaysAgo: 44 },
      routes: { 'POST /api/v1/files': 3, 'GET /api/v1/files': 1 },
    },
  }),
  lumen(270, 'farid', {
    key: { name: 'Appointment reminders', scopes: ['notifications:write', 'customers:read'] },
    lifeDays: 365,
    traffic: {
      ...{ rhythm: 'office', share: 7, hosts: hosts('ruby', '198.51.100.115') },
      routes: { 'POST /api/v1/notifications': 8, 'GET /api/v1/customers': 3, 'GET /api/v1/customers/:id': 5 },
    },
  }),
  lumen(240, 'farid', {
    key: {
      name: 'Lab results',
      description: 'Results of the night, before the wards wake',
      scopes: ['files:write', 'activity:write'],
    },
    lifeDays: 365,
    rotations: [{ daysAgo: 0.15, by: 'farid', graceHours: 24 }],
    traffic: {
      ...{ rhythm: 'regular', share: 6, hosts: hosts('python', '198.51.100.120', '198.51.100.121') },
      routes: { 'POST /api/v1/files': 6, 'POST /api/v1/activity': 4, 'GET /api/v1/files/:id': 2 },
    },
  }),
  lumen(181, 'elif', {
    key: { name: 'Audit archive', scopes: ['read'] },
    lifeDays: 365,
    traffic: {
      ...{ rhythm: 'nightly', share: 2, hosts: hosts('go', '2001:db8:50::c') },
      routes: { 'GET /api/v1/audit-logs': 5, 'GET /api/v1/activity': 1 },
    },
  }),
  lumen(150, 'elif', {
    key: { name: 'Background worker' },
    app: 'background-worker',
    traffic: {
      ...{ rhythm: 'regular', share: 3, hosts: hosts('node', '198.51.100.125') },
      routes: { 'POST /api/v1/activity': 4, 'POST /api/v1/notifications': 2, 'GET /api/v1/orders': 2 },
    },
  }),
  lumen(145, 'farid', {
    key: { name: 'Research snapshot', scopes: ['activity:read', 'docs:read'] },
    lifeDays: 90,
    traffic: {
      ...{ rhythm: 'nightly', share: 2, hosts: hosts('python', '198.51.100.130') },
      routes: { 'GET /api/v1/activity': 4, 'GET /api/v1/docs': 2 },
    },
  }),
  lumen(120, 'farid', {
    key: { name: 'Staging portal', scopes: ['customers:read', 'customers:write'], environment: 'test' },
    lifeDays: 180,
    traffic: {
      ...{ rhythm: 'builds', share: 2, hosts: hosts('node', '198.51.100.102') },
      routes: { 'GET /api/v1/customers': 3, 'GET /api/v1/customers/:id': 4, 'POST /api/v1/customers': 1 },
    },
  }),
  lumen(103, 'farid', { key: { name: 'Scheduler failover', scopes: ['activity:read'] }, lifeDays: 365 }),
  lumen(84, 'elif', {
    key: { name: 'Insurance claims', scopes: ['orders:read', 'orders:write', 'billing:read'] },
    lifeDays: 90,
    traffic: {
      ...{ rhythm: 'office', share: 5, hosts: hosts('java', '198.51.100.140') },
      routes: { 'GET /api/v1/orders': 5, 'POST /api/v1/orders': 3, 'GET /api/v1/billing': 1, 'GET /api/v1/users': 0.1 },
    },
  }),
  lumen(65, 'farid', {
    key: { name: 'Pharmacy link', scopes: ['inventory:read', 'products:read'], allowedIps: ['198.51.100.160/28'] },
    lifeDays: 180,
    traffic: {
      ...{ rhythm: 'regular', share: 5, hosts: hosts('axios', '198.51.100.161', '198.51.100.162') },
      routes: { 'GET /api/v1/inventory': 6, 'GET /api/v1/products': 3, 'GET /api/v1/products/:id': 4 },
    },
  }),
  lumen(20, 'elif', {
    key: { name: 'Elif’s laptop', scopes: ['read'], owner: 'user' },
    lifeDays: 30,
    traffic: {
      ...{ rhythm: 'rare', share: 0.2, hosts: hosts('curl', '198.51.100.20') },
      routes: { 'GET /api/v1/customers': 3, 'GET /api/v1/activity': 1 },
    },
  }),
  lumen(17, 'elif', {
    key: { name: 'Penetration test', scopes: ['read', 'admin:read', 'users:read'], environment: 'test' },
    lifeDays: 14,
    revoked: { daysAgo: 9, by: 'elif', reason: 'The test is done' },
    traffic: {
      ...{ rhythm: 'office', share: 3, hosts: hosts('curl', '198.51.100.199') },
      routes: {
        'GET /api/v1/users': 4,
        'GET /api/v1/security-center/settings': 2,
        'DELETE /api/v1/customers/:id': 2,
        'POST /api/v1/billing/checkout': 1,
        'GET /api/v1/orders/:id': 2,
      },
    },
  }),
];

/** A studio on the smallest plan that costs something. */
export const PICO: readonly Line[] = [
  pico(139, {
    key: { name: 'Old website', scopes: ['read'] },
    revoked: { daysAgo: 131, by: 'hana', reason: 'Held more than it needed' },
    traffic: {
      ...{ rhythm: 'rare', share: 0.3, hosts: hosts('php', '192.0.2.33') },
      routes: { 'GET /api/v1/products': 1 },
    },
  }),
  pico(135, {
    key: { name: 'Website', scopes: ['products:read'] },
    shown: true,
    traffic: {
      ...{ rhythm: 'regular', share: 3, hosts: hosts('node', '192.0.2.34') },
      routes: { 'GET /api/v1/products': 5, 'GET /api/v1/products/:id': 4 },
    },
  }),
  pico(120, {
    key: { name: 'Asset pipeline', scopes: ['files:read', 'files:write', 'builder:write'] },
    lifeDays: 180,
    traffic: {
      ...{ rhythm: 'builds', share: 2, hosts: hosts('python', '192.0.2.35', '2001:db8:30::5') },
      routes: { 'GET /api/v1/files': 3, 'POST /api/v1/files': 3, 'DELETE /api/v1/files/:id': 0.1 },
    },
  }),
  pico(90, {
    key: { name: 'Chat bot', scopes: ['notifications:read', 'support:write'] },
    lifeDays: 95,
    traffic: {
      ...{ rhythm: 'office', share: 1, hosts: hosts('node', '192.0.2.36') },
      routes: { 'GET /api/v1/notifications': 4, 'GET /api/v1/support/tickets': 1 },
    },
  }),
  pico(62, {
    key: { name: 'Prototype', scopes: ['products:read', 'builder:write'], environment: 'test' },
    lifeDays: 30,
    traffic: {
      ...{ rhythm: 'builds', share: 1, hosts: hosts('axios', '192.0.2.37') },
      routes: { 'GET /api/v1/products': 3, 'GET /api/v1/builder/drafts': 1 },
    },
  }),
  pico(60, {
    key: { name: 'Make' },
    app: 'make',
    traffic: {
      ...{ rhythm: 'regular', share: 1, hosts: [{ ip: '198.51.100.210', agent: 'Make/production' }] },
      routes: { 'GET /api/v1/inventory': 2, 'PATCH /api/v1/products/:id': 2 },
    },
  }),
  pico(40, {
    key: { name: 'Hana’s laptop', scopes: ['read'], owner: 'user' },
    lifeDays: 90,
    traffic: {
      ...{ rhythm: 'rare', share: 0.2, hosts: hosts('curl', '192.0.2.30') },
      routes: { 'GET /api/v1/products': 2, 'GET /api/v1/files': 1 },
    },
  }),
  pico(1, { key: { name: 'Invoice export', scopes: ['orders:read', 'billing:read'] }, lifeDays: 90 }),
];
