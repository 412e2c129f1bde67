import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { ConfigError, readConfig } from '../app/config.ts';
import { ROOT } from '../app/root.ts';

const SECRET = 'x'.repeat(32);
const MYSQL = { DATABASE_URL: 'mysql://ann:p4ss@db.example/keys', JWT_SECRET: SECRET };

describe('the configuration', () => {
  it('needs no variable at all', () => {
    expect(readConfig({})).to.deep.equal({
      port: 5000,
      host: '::',
      publicUrl: 'http://localhost:5000',
      trustedHops: 0,
      logLevel: 'info',
      dataDir: path.resolve('var'),
      database: { kind: 'sqlite', file: path.resolve('var/latchkey.db') },
      redisUrl: undefined,
      jwt: { secret: undefined, issuer: 'latchkey', audience: 'latchkey', ttlSeconds: 3600, jwksUrl: undefined },
      keys: { prefix: 'fsk', format: 'base62' },
      limits: {
        key: { limit: 600, windowSeconds: 60 },
        person: { limit: 600, windowSeconds: 60 },
        address: { limit: 120, windowSeconds: 60 },
        login: { limit: 10, windowSeconds: 300 },
      },
      corsOrigins: [],
      metricsPort: undefined,
      forwardAuthPeers: ['127.0.0.0/8', '::1'],
      sampleProduct: true,
      scopesFile: undefined,
      support: undefined,
      githubKeys: undefined,
      owner: undefined,
    });
  });

  it('reads every variable', () => {
    const config = readConfig({
      PORT: '8080',
      HOST: '127.0.0.1',
      DATABASE_URL: 'mysql://ann:p4ss@db.example:3307/keys',
      DATA_DIR: '/srv/latchkey',
      REDIS_URL: 'rediss://:pw@cache.example:6380/1',
      JWT_SECRET: SECRET,
      JWT_ISSUER: 'https://id.example',
      JWT_AUDIENCE: 'keys',
      JWT_TTL: '15m',
      JWT_JWKS_URL: 'https://id.example/jwks.json',
      KEY_PREFIX: 'trafi_sk',
      KEY_FORMAT: 'hex',
      KEY_LIMIT: '5/1',
      PERSON_LIMIT: '7/2',
      ADDRESS_LIMIT: 'off',
      CORS_ORIGINS: 'https://app.example.com, http://localhost:3000,https://app.example.com',
      METRICS_PORT: '9464',
      FORWARD_AUTH_PEERS: '10.0.0.5,10.1.2.3/16  2001:DB8::/32',
      GITHUB_SECRET_SCANNING_KEYS: 'https://api.github.com/meta/public_keys/secret_scanning',
      SAMPLE_PRODUCT: 'off',
      SCOPES_FILE: '/etc/latchkey/scopes.json',
      LOGIN_LIMIT: '3/600',
      TRUSTED_HOPS: '2',
      PUBLIC_URL: 'https://keys.example.com/',
      ADMIN_USER: 'support',
      ADMIN_PASSWORD: 'twelve chars',
      OWNER_EMAIL: 'alice@acme.example',
      OWNER_PASSWORD: 'correct horse battery',
      TENANT_NAME: 'Acme',
      LOG_LEVEL: 'warn',
    });
    expect(config).to.deep.equal({
      port: 8080,
      host: '127.0.0.1',
      publicUrl: 'https://keys.example.com',
      trustedHops: 2,
      logLevel: 'warn',
      dataDir: '/srv/latchkey',
      database: {
        kind: 'mysql',
        host: 'db.example',
        port: 3307,
        user: 'ann',
        password: 'p4ss',
        database: 'keys',
        connections: 8,
        tls: undefined,
      },
      redisUrl: 'rediss://:pw@cache.example:6380/1',
      jwt: {
        secret: SECRET,
        issuer: 'https://id.example',
        audience: 'keys',
        ttlSeconds: 900,
        jwksUrl: 'https://id.example/jwks.json',
      },
      keys: { prefix: 'trafi_sk', format: 'hex' },
      limits: {
        key: { limit: 5, windowSeconds: 1 },
        person: { limit: 7, windowSeconds: 2 },
        address: undefined,
        login: { limit: 3, windowSeconds: 600 },
      },
      corsOrigins: ['https://app.example.com', 'http://localhost:3000'],
      metricsPort: 9464,
      forwardAuthPeers: ['10.0.0.5', '10.1.0.0/16', '2001:db8::/32'],
      githubKeys: new URL('https://api.github.com/meta/public_keys/secret_scanning'),
      sampleProduct: false,
      scopesFile: '/etc/latchkey/scopes.json',
      support: { user: 'support', password: 'twelve chars' },
      owner: { email: 'alice@acme.example', password: 'correct horse battery', tenantName: 'Acme' },
    });
  });

  it('takes an empty or blank variable for an unset one', () => {
    const blank = Object.fromEntries(variables().map((name) => [name, name.endsWith('PASSWORD') ? '' : '  ']));
    expect(readConfig({ ...blank, DYNO: '' })).to.deep.equal(readConfig({}));
  });

  it('trusts one proxy on a dyno, unless told otherwise', () => {
    expect(readConfig({ ...MYSQL, DYNO: 'web.1' }).trustedHops).to.equal(1);
    expect(readConfig({ ...MYSQL, DYNO: 'web.1', TRUSTED_HOPS: '0' }).trustedHops).to.equal(0);
  });

  it('makes links to PORT while PUBLIC_URL is unset', () => {
    expect(readConfig({ PORT: '8080' }).publicUrl).to.equal('http://localhost:8080');
  });

  it('takes the scheme of PUBLIC_URL in upper case too, so that https makes cookies secure however it is written', () => {
    expect(readConfig({ PUBLIC_URL: 'HTTPS://keys.example.com' }).publicUrl).to.equal('https://keys.example.com');
  });

  for (const [text, seconds] of Object.entries({ '900': 900, '30s': 30, '15m': 900, '1h': 3600, '7d': 604_800 })) {
    it(`reads JWT_TTL=${text} as ${seconds} seconds`, () => {
      expect(readConfig({ JWT_TTL: text }).jwt.ttlSeconds).to.equal(seconds);
    });
  }
});

type Wrong = [value: string, line: string, rest?: Record<string, string>];

/** Each wrong value with the words that its one line must have, and what else is set. */
const WRONG: Record<string, Wrong[]> = {
  SAMPLE_PRODUCT: [['no', 'SAMPLE_PRODUCT is "no": it takes one of on, off']],
  PORT: ['abc', '-1', '65536', '80.5', '0x50', '1e3', '50 00'].map((value) => [
    value,
    `PORT is "${value}": it takes a whole number from 0 to 65535`,
  ]),
  TRUSTED_HOPS: ['all', '-1', '17'].map((value) => [
    value,
    `TRUSTED_HOPS is "${value}": it takes a whole number from 0 to 16`,
  ]),
  LOG_LEVEL: ['verbose', 'INFO'].map((value) => [
    value,
    `LOG_LEVEL is "${value}": it takes one of fatal, error, warn, info, debug, trace, silent`,
  ]),
  PUBLIC_URL: [
    ['keys.example.com', 'PUBLIC_URL must be a URL that starts with http:// or https://'],
    ['https:keys.example.com', 'PUBLIC_URL must be a URL that starts with http:// or https://'],
    ['javascript://keys.example.com', 'PUBLIC_URL must be a URL that starts with http:// or https://'],
    ['https://', 'PUBLIC_URL must be a URL'],
    ['https://keys.example.com?x=1', 'PUBLIC_URL must be a plain address such as https://'],
    ['https://keys.example.com/#top', 'PUBLIC_URL must be a plain address'],
    ['https://ann:canary@keys.example.com', 'PUBLIC_URL must be a plain address'],
  ],
  DATABASE_CONNECTIONS: ['5', '1001', 'many', '8.5', '-8'].map((value) => [
    value,
    `DATABASE_CONNECTIONS is "${value}": it takes a whole number from 6 to 1000`,
  ]),
  REDIS_URL: [
    ['http://:canary@cache', 'REDIS_URL must be a URL that starts with redis:// or rediss://'],
    ['canary', 'REDIS_URL must be a URL'],
  ],
  JWT_SECRET: [
    ['canary'.repeat(5), 'JWT_SECRET is too short: it takes at least 32 bytes'],
    ['', 'JWT_SECRET must be set when DATABASE_URL is: at least 32 bytes', { DATABASE_URL: MYSQL.DATABASE_URL }],
  ],
  JWT_TTL: ['0', '1y', '-5m', '1.5h', '5 m'].map((value) => [
    value,
    `JWT_TTL is "${value}": it takes a duration such as 900, 15m, 1h or 7d`,
  ]),
  JWT_JWKS_URL: [['file:///etc/keys', 'JWT_JWKS_URL must be a URL that starts with http:// or https://']],
  KEY_PREFIX: ['Fsk', 'fsk_', '1sk', 'f__k', 'fsk_live', 'fsk-', 'a'.repeat(21)].map((value) => [
    value,
    `KEY_PREFIX is "${value}": it takes up to 20 lower-case letters, digits and single underscores, a letter first, not`,
  ]),
  KEY_FORMAT: [['base64', 'KEY_FORMAT is "base64": it takes one of base62, hex']],
  KEY_LIMIT: wrongLimits('KEY_LIMIT'),
  PERSON_LIMIT: wrongLimits('PERSON_LIMIT'),
  ADDRESS_LIMIT: wrongLimits('ADDRESS_LIMIT'),
  CORS_ORIGINS: [
    ['*', 'CORS_ORIGINS must name each origin: with * every website could use a key or token'],
    ['https://app.example.com,*', 'CORS_ORIGINS must name each origin'],
    ...[
      ...['https://app.example.com/', 'app.example.com', 'https://App.example.com', 'https://app.example.com:443'],
      ...['null', 'ftp://a.example', 'https://ann:canary@a.example', 'https://a.example,,https://b.example'],
    ].map((value): Wrong => [value, 'CORS_ORIGINS must be origins such as https://app.example.com, without a path']),
  ],
  GITHUB_SECRET_SCANNING_KEYS: [
    ['/nowhere/canary.json', 'GITHUB_SECRET_SCANNING_KEYS takes the URL of a key set, or a file that holds one'],
    ['package.json', 'GITHUB_SECRET_SCANNING_KEYS takes the URL of a key set, or a file that holds one'],
    ['https:canary', 'GITHUB_SECRET_SCANNING_KEYS must be a URL that starts with http:// or https://'],
  ],
  METRICS_PORT: [
    ['0', 'METRICS_PORT is "0": it takes a whole number from 1 to 65535'],
    ['5000', 'METRICS_PORT must be another port than PORT'],
  ],
  FORWARD_AUTH_PEERS: [
    ['nginx', 'FORWARD_AUTH_PEERS is "nginx": it takes addresses and networks such as 10.0.0.5, 10.1.0.0/16'],
    ['10.0.0.5, 10.0.0.0/33', 'FORWARD_AUTH_PEERS is "10.0.0.0/33": it takes addresses and networks'],
  ],
  LOGIN_LIMIT: wrongLimits('LOGIN_LIMIT'),
  ADMIN_USER: [
    ['support', 'ADMIN_USER and ADMIN_PASSWORD go together'],
    ['', 'ADMIN_USER and ADMIN_PASSWORD go together', { ADMIN_PASSWORD: 'canary canary' }],
    ['a:b', 'ADMIN_USER must not contain a colon', { ADMIN_PASSWORD: 'canary canary' }],
  ],
  ADMIN_PASSWORD: [
    ['canary', 'ADMIN_PASSWORD is too short: it takes at least 12 characters', { ADMIN_USER: 'support' }],
  ],
  OWNER_EMAIL: [
    ['alice@acme.example', 'OWNER_EMAIL, OWNER_PASSWORD and TENANT_NAME go together: set all three or none'],
    ['', 'OWNER_PASSWORD and TENANT_NAME go together', { TENANT_NAME: 'Acme', OWNER_PASSWORD: 'canary canary' }],
  ],
  OWNER_PASSWORD: [['canary canary canary', 'OWNER_PASSWORD and TENANT_NAME go together']],
  TENANT_NAME: [['Acme', 'OWNER_PASSWORD and TENANT_NAME go together', { OWNER_EMAIL: 'alice@acme.example' }]],
  DYNO: [['web.1', 'DATABASE_URL must be set here: a dyno loses its disk at each restart, and SQLite with it']],
};

function wrongLimits(name: string): Wrong[] {
  return ['0/60', '600', '600/0', '600/60/2', '-1/60', 'OFF', '1.5/60'].map((value) => [
    value,
    `${name} is "${value}": it takes requests/seconds such as 600/60, or off`,
  ]);
}

describe('a wrong variable', () => {
  for (const [name, cases] of Object.entries(WRONG)) {
    it(`${name} stops the start with one line that names it, says what it takes and tells no secret`, () => {
      for (const [value, line, rest] of cases) {
        const message = messageOf({ ...rest, [name]: value });
        expect(message).to.include(line);
        expect(message).not.to.match(/[\r\n]|canary/);
      }
    });
  }

  it('is one of these, of those for a database, or of the few that take any text', () => {
    const databases = ['DATABASE_URL', 'JAWSDB_URL', 'CLEARDB_DATABASE_URL'];
    // What is in the file is checked by the start, and not by whatever else reads the environment.
    const free = ['HOST', 'DATA_DIR', 'SCOPES_FILE', 'JWT_ISSUER', 'JWT_AUDIENCE'];
    expect([...Object.keys(WRONG), ...databases, ...free]).to.have.members([...variables(), 'DYNO']);
  });
});

describe('the lists of variables', () => {
  it('.env.example names exactly those that are read, each commented out', () => {
    const lines = readFileSync(path.join(ROOT, '.env.example'), 'utf8').split('\n');
    const named = lines.flatMap((line) => /^#([A-Z_]+)=/.exec(line)?.[1] ?? []);
    expect(named).to.have.members(variables());
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).to.deep.equal([]);
  });

  it('docs/operating.md has a row for exactly those that are read', () => {
    const rows = readFileSync(path.join(ROOT, 'docs/operating.md'), 'utf8').split('\n');
    const cells = rows.flatMap((row) => /^\| (`[A-Z_]+`[^|]*)\|/.exec(row)?.[1] ?? []);
    const named = cells.flatMap((cell) => [...cell.matchAll(/`([A-Z_]+)`/g)].map((match) => match[1]));
    expect(named).to.have.members(variables());
  });
});

/** Every name in quotes in config.ts; DYNO is left out, since a host sets it and nobody else should. */
function variables(): string[] {
  const source = readFileSync(path.join(ROOT, 'app/config.ts'), 'utf8');
  const names = [...source.matchAll(/'([A-Z][A-Z_]+)'/g)].map((match) => match[1] ?? '');
  return [...new Set(names)].filter((name) => name !== 'DYNO');
}

function messageOf(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('no error');
}
