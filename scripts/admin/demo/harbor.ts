import { hosts, type Line } from './line.ts';

const line = (daysAgo: number, by: Line['by'], rest: Omit<Line, 'tenant' | 'daysAgo' | 'by'>): Line => ({
  ...{ tenant: 'harbor', daysAgo, by },
  ...rest,
});

/** A forwarder whose stores, warehouses and partners all come by keys. */
export const HARBOR: readonly Line[] = [
  line(360, 'ada', {
    key: {
      name: 'Finance export',
      description: 'Orders of the day for the ledger',
      scopes: ['orders:read', 'billing:read'],
    },
    lifeDays: 365,
    traffic: {
      ...{ rhythm: 'nightly', share: 5, hosts: hosts('java', '198.51.100.14') },
      routes: { 'GET /api/v1/orders': 30, 'GET /api/v1/orders/:id': 8, 'GET /api/v1/billing': 1 },
    },
  }),
  line(356, 'ada', {
    key: { name: 'Old ERP bridge', scopes: ['orders:read', 'orders:write', 'inventory:read'] },
    revoked: { daysAgo: 150, by: 'ada', reason: 'Replaced by Order sync' },
    traffic: {
      ...{ rhythm: 'regular', share: 6, hosts: hosts('php', '203.0.113.90'), untilDaysAgo: 152 },
      routes: { 'GET /api/v1/orders': 5, 'POST /api/v1/orders': 2, 'GET /api/v1/inventory': 3 },
    },
  }),
  line(350, 'ada', {
    key: {
      name: 'Order sync',
      description: 'Keeps the shop’s orders and ours alike',
      scopes: ['orders:read', 'orders:write', 'customers:read'],
      metadata: { team: 'commerce', repository: 'order-sync' },
    },
    rotations: [
      { daysAgo: 170, by: 'ada', graceHours: 168 },
      { daysAgo: 2, by: 'ben', graceHours: 168 },
    ],
    traffic: {
      ...{ rhythm: 'busy', share: 20, hosts: hosts('node', '203.0.113.21', '203.0.113.22', '2001:db8:21::4') },
      routes: {
        'GET /api/v1/orders': 14,
        'POST /api/v1/orders': 5,
        'PATCH /api/v1/orders/:id': 6,
        'GET /api/v1/customers/:id': 4,
        'DELETE /api/v1/orders/:id': 0.2,
      },
    },
  }),
  line(342, 'ben', {
    key: {
      name: 'Warehouse gateway',
      description: 'Handheld scanners in halls 1 to 6',
      scopes: ['inventory:read', 'inventory:write'],
      allowedIps: ['203.0.113.0/26', '2001:db8:60::/48'],
    },
    rotations: [{ daysAgo: 60, by: 'ben', graceHours: 24 }],
    traffic: {
      ...{ rhythm: 'office', share: 16, hosts: hosts('java', '203.0.113.40', '203.0.113.41', '2001:db8:60::1') },
      routes: { 'GET /api/v1/inventory': 8, 'GET /api/v1/inventory/:id': 5, 'PATCH /api/v1/inventory/:id': 9 },
    },
  }),
  line(330, 'ben', {
    key: { name: 'Backup verifier', scopes: ['files:read'] },
    traffic: {
      ...{ rhythm: 'nightly', share: 1, hosts: hosts('curl', '198.51.100.77'), untilDaysAgo: 112 },
      routes: { 'GET /api/v1/files': 3, 'GET /api/v1/files/:id': 1 },
    },
  }),
  line(322, 'ada', {
    key: {
      name: 'Storefront',
      description: 'What shop.example.com shows',
      scopes: ['products:read', 'inventory:read'],
      rateLimit: { limit: 3000, windowSeconds: 60 },
    },
    rotations: [{ daysAgo: 0.8, by: 'ada', graceHours: 24 }],
    traffic: {
      ...{ rhythm: 'busy', share: 40, hosts: hosts('go', '192.0.2.11', '192.0.2.12', '192.0.2.13') },
      routes: { 'GET /api/v1/products': 20, 'GET /api/v1/products/:id': 24, 'GET /api/v1/inventory': 7 },
    },
  }),
  line(302, 'ben', {
    key: { name: 'Quarterly report', scopes: ['orders:read'] },
    traffic: {
      ...{ rhythm: 'rare', share: 0.3, hosts: hosts('python', '203.0.113.11'), untilDaysAgo: 96 },
      routes: { 'GET /api/v1/orders': 1 },
    },
  }),
  line(298, 'ada', {
    key: {
      name: 'Carrier tracking',
      scopes: ['notifications:write', 'activity:write', 'webhooks:read'],
      description: 'Turns carrier messages into notifications',
    },
    traffic: {
      ...{ rhythm: 'regular', share: 8, hosts: hosts('go', '192.0.2.44', '192.0.2.45') },
      routes: { 'POST /api/v1/notifications': 9, 'GET /api/v1/notifications': 2, 'GET /api/v1/orders': 0.4 },
    },
  }),
  line(295, 'ada', {
    key: { name: 'Holiday dashboard', scopes: ['dashboard:read', 'orders:read'] },
    lifeDays: 60,
    traffic: {
      ...{ rhythm: 'office', share: 2, hosts: hosts('axios', '203.0.113.55') },
      routes: { 'GET /api/v1/dashboard': 4, 'GET /api/v1/orders': 3 },
    },
  }),
  line(282, 'ben', {
    key: {
      name: 'Storefront staging',
      scopes: ['products:read', 'inventory:read', 'orders:write'],
      environment: 'test',
    },
    traffic: {
      ...{ rhythm: 'builds', share: 4, hosts: hosts('go', '192.0.2.60') },
      routes: { 'GET /api/v1/products': 5, 'GET /api/v1/products/:id': 5, 'GET /api/v1/inventory': 2 },
    },
  }),
  line(252, 'ada', {
    key: { name: 'Data warehouse loader', description: 'Everything, once a night', scopes: ['read'] },
    traffic: {
      ...{ rhythm: 'nightly', share: 9, hosts: hosts('python', '198.51.100.30', '198.51.100.31') },
      routes: {
        'GET /api/v1/orders': 9,
        'GET /api/v1/customers': 5,
        'GET /api/v1/products': 4,
        'GET /api/v1/inventory': 6,
        'GET /api/v1/audit-logs': 2,
        'GET /api/v1/users': 0.1,
      },
    },
  }),
  line(232, 'ben', {
    key: {
      name: 'Deploy checks',
      scopes: ['projects:read', 'development:write'],
      environment: 'test',
      description: 'Run by every build',
    },
    changes: [
      { daysAgo: 180, by: 'ben', change: { scopes: ['projects:read', 'development:write', 'files:read'] } },
      { daysAgo: 8, by: 'ben', change: { scopes: ['projects:read', 'development:write'] } },
    ],
    rotations: [
      { daysAgo: 140, by: 'ben', graceHours: 24 },
      { daysAgo: 50, by: 'ben', graceHours: 24 },
    ],
    traffic: {
      ...{ rhythm: 'builds', share: 5, hosts: hosts('curl', '192.0.2.80', '192.0.2.81', '192.0.2.82') },
      routes: {
        'GET /api/v1/projects': 4,
        'GET /api/v1/projects/:id': 4,
        'POST /api/v1/development': 3,
        'PATCH /api/v1/development/:id': 2,
      },
    },
  }),
  line(220, 'ada', {
    key: { name: 'Zapier' },
    app: 'zapier',
    traffic: {
      ...{ rhythm: 'regular', share: 3, hosts: [{ ip: '198.51.100.90', agent: 'Zapier' }] },
      routes: { 'GET /api/v1/orders': 4, 'POST /api/v1/customers': 2, 'POST /api/v1/notifications': 2 },
    },
  }),
  line(212, 'ada', {
    key: { name: 'Mobile app', scopes: ['customers:read', 'orders:read', 'notifications:read'] },
    lifeDays: 365,
    changes: [{ daysAgo: 118, by: 'ada', change: { rateLimit: { limit: 1200, windowSeconds: 60 } } }],
    traffic: {
      ...{ rhythm: 'busy', share: 16, hosts: hosts('node', '192.0.2.100', '2001:db8:90::2') },
      routes: {
        'GET /api/v1/orders': 8,
        'GET /api/v1/orders/:id': 9,
        'GET /api/v1/notifications': 7,
        'GET /api/v1/customers/:id': 3,
      },
    },
  }),
];
