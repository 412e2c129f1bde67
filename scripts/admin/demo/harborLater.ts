import { hosts, type Line } from './line.ts';

const line = (daysAgo: number, by: Line['by'], rest: Omit<Line, 'tenant' | 'daysAgo' | 'by'>): Line => ({
  ...{ tenant: 'harbor', daysAgo, by },
  ...rest,
});

/** What the forwarder added in the later half of the year. */
export const HARBOR_LATER: readonly Line[] = [
  line(205, 'ada', {
    key: { name: 'On-call console', description: 'For the worst night of the year', scopes: ['*'], owner: 'user' },
    traffic: {
      ...{ rhythm: 'rare', share: 0.2, hosts: hosts('curl', '203.0.113.10') },
      routes: { 'GET /api/v1/orders': 3, 'GET /api/v1/settings': 1, 'PATCH /api/v1/orders/:id': 1 },
    },
  }),
  line(200, 'ada', {
    key: { name: 'Continuous integration' },
    app: 'ci',
    revoked: { daysAgo: 92, by: 'ada', reason: '' },
    traffic: {
      ...{ rhythm: 'builds', share: 1, hosts: hosts('curl', '192.0.2.83') },
      routes: { 'GET /api/v1/projects': 3, 'POST /api/v1/files': 1 },
    },
  }),
  line(190, 'ada', {
    key: { name: 'BI dashboard', scopes: ['dashboard:read', 'orders:read', 'products:read'] },
    lifeDays: 365,
    traffic: {
      ...{ rhythm: 'office', share: 5, hosts: hosts('java', '198.51.100.40') },
      routes: { 'GET /api/v1/dashboard': 5, 'GET /api/v1/orders': 4, 'GET /api/v1/products': 2 },
    },
  }),
  line(180, 'ada', {
    key: { name: 'Contractor', scopes: ['projects:read', 'docs:read', 'docs:write'] },
    lifeDays: 180,
    revoked: { daysAgo: 62, by: 'ada', reason: 'The contract has ended' },
    traffic: {
      ...{ rhythm: 'office', share: 1, hosts: hosts('axios', '2001:db8:77::9') },
      routes: {
        'GET /api/v1/projects': 3,
        'GET /api/v1/docs': 4,
        'POST /api/v1/docs': 1,
        'GET /api/v1/customers': 0.3,
      },
    },
  }),
  line(162, 'ben', {
    key: { name: 'Terraform', scopes: ['settings:read', 'modules:write', 'webhooks:write'], owner: 'user' },
    lifeDays: 300,
    traffic: {
      ...{ rhythm: 'rare', share: 0.6, hosts: hosts('go', '203.0.113.11') },
      routes: { 'GET /api/v1/settings': 2, 'GET /api/v1/modules': 3, 'PATCH /api/v1/modules/:id': 1 },
    },
  }),
  line(142, 'ben', { key: { name: 'Proof of concept', scopes: ['read', 'projects:write'] } }),
  line(131, 'ada', {
    key: { name: 'Customer portal', scopes: ['customers:read', 'customers:write', 'files:read'] },
    lifeDays: 180,
    traffic: {
      ...{ rhythm: 'office', share: 9, hosts: hosts('ruby', '192.0.2.120', '192.0.2.121') },
      routes: {
        'GET /api/v1/customers/:id': 9,
        'PATCH /api/v1/customers/:id': 2,
        'GET /api/v1/files': 4,
        'POST /api/v1/support/tickets': 0.1,
      },
    },
  }),
  line(121, 'ben', {
    key: { name: 'Load test', scopes: ['products:read', 'orders:write'], environment: 'test' },
    lifeDays: 30,
    revoked: { daysAgo: 101, by: 'ben', reason: 'The load test is over' },
    traffic: {
      ...{ rhythm: 'office', share: 6, hosts: hosts('go', '192.0.2.200') },
      routes: { 'GET /api/v1/products': 8, 'POST /api/v1/orders': 4 },
    },
  }),
  line(111, 'ada', {
    key: {
      name: 'Partner: Atlas Freight',
      scopes: ['orders:read'],
      externalId: 'partner-0192',
      monthlyQuota: 50_000,
      allowedIps: ['198.51.100.64/27'],
    },
    lifeDays: 365,
    traffic: {
      ...{ rhythm: 'regular', share: 4, hosts: hosts('php', '198.51.100.70') },
      routes: { 'GET /api/v1/orders': 6, 'GET /api/v1/orders/:id': 3, 'GET /api/v1/customers/:id': 0.3 },
    },
  }),
  line(102, 'ada', {
    key: {
      name: 'Partner: Bluewater Lines',
      scopes: ['orders:read'],
      externalId: 'partner-0207',
      monthlyQuota: 50_000,
    },
    lifeDays: 90,
    traffic: {
      ...{ rhythm: 'regular', share: 4, hosts: hosts('python', '198.51.100.110') },
      routes: { 'GET /api/v1/orders': 6, 'GET /api/v1/orders/:id': 2 },
    },
  }),
  line(95, 'ben', {
    key: { name: 'Returns bot', scopes: ['orders:read', 'orders:write', 'support:write'] },
    lifeDays: 100,
    traffic: {
      ...{ rhythm: 'office', share: 4, hosts: hosts('python', '203.0.113.61') },
      routes: { 'GET /api/v1/orders/:id': 6, 'PATCH /api/v1/orders/:id': 3, 'GET /api/v1/support/tickets': 2 },
    },
  }),
  line(75, 'ben', {
    key: { name: 'Label printer, dock 4', scopes: ['files:read'], allowedIps: ['203.0.113.44'] },
    lifeDays: 365,
    traffic: {
      ...{ rhythm: 'office', share: 3, hosts: hosts('curl', '203.0.113.44') },
      routes: { 'GET /api/v1/files': 2, 'GET /api/v1/files/:id': 5 },
    },
  }),
  line(71, 'ben', {
    key: { name: 'Sample for the docs', scopes: ['read'] },
    lifeDays: 90,
    revoked: { daysAgo: 21, by: 'ada', reason: 'Found in a public repository' },
    traffic: {
      ...{ rhythm: 'rare', share: 0.4, hosts: hosts('curl', '203.0.113.11', '2001:db8:ff::1') },
      routes: { 'GET /api/v1/projects': 3, 'GET /api/v1/customers': 1 },
    },
  }),
  line(61, 'ben', {
    key: { name: 'Route planner', scopes: ['inventory:read', 'activity:read'] },
    lifeDays: 180,
    traffic: {
      ...{ rhythm: 'regular', share: 5, hosts: hosts('java', '192.0.2.140') },
      routes: { 'GET /api/v1/inventory': 6, 'GET /api/v1/activity': 3 },
    },
  }),
  line(45, 'diego', {
    key: { name: 'Diego’s notebook', scopes: ['read'], environment: 'test', owner: 'user' },
    lifeDays: 90,
    traffic: {
      ...{ rhythm: 'rare', share: 0.2, hosts: hosts('python', '203.0.113.12') },
      routes: { 'GET /api/v1/orders': 3, 'GET /api/v1/inventory': 2 },
    },
  }),
  line(30, 'ada', {
    key: { name: 'Ada’s laptop', scopes: ['read'], owner: 'user' },
    lifeDays: 90,
    shown: true,
    traffic: {
      ...{ rhythm: 'rare', share: 0.2, hosts: hosts('curl', '203.0.113.10') },
      routes: { 'GET /api/v1/orders': 3, 'GET /api/v1/whoami': 1, 'GET /api/v1/audit-logs': 1 },
    },
  }),
  line(2, 'ben', {
    key: { name: 'New carrier: Fjord Post', scopes: ['orders:read', 'notifications:write'] },
    lifeDays: 90,
    shown: true,
  }),
];
