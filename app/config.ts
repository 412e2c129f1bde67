import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { FEWEST_CONNECTIONS, type DatabaseConfig, type MysqlConfig } from '../db/connection/settings.ts';
import { KEY_PREFIX_PATTERN, type KeyFormat, type KeyStyle } from './domain/token.ts';
import { githubKeysIn, type GithubKeys } from './domain/githubKeySet.ts';
import { normaliseNetwork } from './domain/network.ts';
import { readRate, type Rate } from './domain/rate.ts';

/** Everything the process takes from its environment, read and checked once at start. */
export interface Config {
  port: number;
  host: string;
  publicUrl: string;
  trustedHops: number;
  logLevel: LogLevel;
  dataDir: string;
  database: DatabaseConfig;
  redisUrl: string | undefined;
  jwt: JwtConfig;
  keys: KeyStyle;
  limits: Record<'key' | 'person' | 'address' | 'login', Rate | undefined>;
  /** The origins whose pages may call the API from a browser. */
  corsOrigins: readonly string[];
  /** The port on loopback where metrics are served without a password; absent means that there is none. */
  metricsPort: number | undefined;
  /** The addresses and networks of the proxies that may ask about requests of their clients. */
  forwardAuthPeers: string[];
  /** Whether the sample product is served. */
  sampleProduct: boolean;
  /** The file that holds the scopes of the product; absent where operators decide them. */
  scopesFile: string | undefined;
  /** HTTP Basic for support staff and metrics; absent means those pages do not exist. */
  support: { user: string; password: string } | undefined;
  /** The keys of GitHub's secret scanning, or where they are published; absent means that its reports are not taken. */
  githubKeys: GithubKeys | URL | undefined;
  /** The first person and tenant, made on an empty database instead of printing a set-up link. */
  owner: { email: string; password: string; tenantName: string } | undefined;
}

export interface JwtConfig {
  /** Absent only with embedded SQLite, where `secrets.ts` makes one and keeps it in DATA_DIR. */
  secret: string | undefined;
  issuer: string;
  audience: string;
  ttlSeconds: number;
  jwksUrl: string | undefined;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];
type Environment = Readonly<Record<string, string | undefined>>;

/** A variable with a wrong value: its message is the one line that stops the start. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Reads and checks every variable; throws a ConfigError naming the first one that is wrong. */
export function readConfig(env: Environment): Config {
  const port = integer(env, 'PORT', 5000, 0, 65535);
  const dataDir = path.resolve(text(env, 'DATA_DIR') ?? 'var');
  const database = readDatabase(env, dataDir);
  return {
    port,
    host: text(env, 'HOST') ?? '::',
    publicUrl: readPublicUrl(env) ?? `http://localhost:${port}`,
    trustedHops: integer(env, 'TRUSTED_HOPS', env['DYNO'] ? 1 : 0, 0, 16),
    logLevel: oneOf(env, 'LOG_LEVEL', 'info', LOG_LEVELS),
    dataDir,
    database,
    redisUrl: url(env, 'REDIS_URL', ['redis:', 'rediss:']),
    jwt: {
      secret: readJwtSecret(env, database),
      issuer: text(env, 'JWT_ISSUER') ?? 'latchkey',
      audience: text(env, 'JWT_AUDIENCE') ?? 'latchkey',
      ttlSeconds: readDuration(env, 'JWT_TTL', 3600),
      jwksUrl: url(env, 'JWT_JWKS_URL', ['http:', 'https:']),
    },
    keys: { prefix: readKeyPrefix(env), format: oneOf<KeyFormat>(env, 'KEY_FORMAT', 'base62', ['base62', 'hex']) },
    limits: {
      key: readLimit(env, 'KEY_LIMIT', '600/60'),
      person: readLimit(env, 'PERSON_LIMIT', '600/60'),
      address: readLimit(env, 'ADDRESS_LIMIT', '120/60'),
      login: readLimit(env, 'LOGIN_LIMIT', '10/300'),
    },
    corsOrigins: readCorsOrigins(env),
    metricsPort: readMetricsPort(env, port),
    forwardAuthPeers: readNetworks(env, 'FORWARD_AUTH_PEERS', '127.0.0.0/8, ::1'),
    sampleProduct: oneOf(env, 'SAMPLE_PRODUCT', 'on', ['on', 'off']) === 'on',
    scopesFile: text(env, 'SCOPES_FILE'),
    support: readSupport(env),
    githubKeys: readGithubKeys(env),
    owner: readOwner(env),
  };
}

function text(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === '' ? undefined : value;
}

function wrong(name: string, takes: string, shown?: string): ConfigError {
  return new ConfigError(shown === undefined ? `${name} ${takes}` : `${name} is "${shown}": it takes ${takes}`);
}

function integer(env: Environment, name: string, fallback: number, min: number, max: number): number {
  const value = text(env, name);
  if (value === undefined) return fallback;
  const number = /^\d+$/.test(value) ? Number(value) : NaN;
  if (!(number >= min && number <= max)) throw wrong(name, `a whole number from ${min} to ${max}`, value);
  return number;
}

function oneOf<T extends string>(env: Environment, name: string, fallback: T, choices: readonly T[]): T {
  const value = text(env, name);
  if (value === undefined) return fallback;
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw wrong(name, `one of ${choices.join(', ')}`, value);
  return choice;
}

/** A URL of one of the given schemes; the value itself is not shown, for it may hold a password. */
function url(env: Environment, name: string, schemes: readonly string[]): string | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  // `http:host` parses too, but would make no link.
  const known = schemes.some((scheme) => value.toLowerCase().startsWith(`${scheme}//`));
  if (!known || !URL.canParse(value)) {
    throw wrong(name, `must be a URL that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`);
  }
  return value;
}

/** The beginning of all links; a query or fragment would end up in their middle. */
function readPublicUrl(env: Environment): string | undefined {
  const value = url(env, 'PUBLIC_URL', ['http:', 'https:']);
  if (value === undefined) return undefined;
  if (/[?#@]/.test(value)) throw wrong('PUBLIC_URL', 'must be a plain address such as https://keys.example.com');
  return value.replace(/\/+$/, '').replace(/^\w+/, (scheme) => scheme.toLowerCase());
}

function readDuration(env: Environment, name: string, fallback: number): number {
  const value = text(env, name);
  if (value === undefined) return fallback;
  const match = /^([1-9]\d{0,6})(s|m|h|d)?$/.exec(value);
  if (!match) throw wrong(name, 'a duration such as 900, 15m, 1h or 7d', value);
  const unit = { s: 1, m: 60, h: 3600, d: 86400 }[(match[2] ?? 's') as 's' | 'm' | 'h' | 'd'];
  return Number(match[1]) * unit;
}

function readLimit(env: Environment, name: string, fallback: string): Rate | undefined {
  const value = text(env, name) ?? fallback;
  if (value === 'off') return undefined;
  const rate = readRate(value);
  if (!rate) throw wrong(name, 'requests/seconds such as 600/60, or off', value);
  return rate;
}

function readKeyPrefix(env: Environment): string {
  const value = text(env, 'KEY_PREFIX') ?? 'fsk';
  if (!KEY_PREFIX_PATTERN.test(value)) {
    throw wrong(
      'KEY_PREFIX',
      'up to 20 lower-case letters, digits and single underscores, a letter first, not ending in live or test',
      value,
    );
  }
  return value;
}

function readJwtSecret(env: Environment, database: DatabaseConfig): string | undefined {
  const secret = text(env, 'JWT_SECRET');
  if (secret === undefined) {
    if (database.kind === 'sqlite') return undefined;
    throw wrong('JWT_SECRET', 'must be set when DATABASE_URL is: at least 32 bytes of random text');
  }
  if (Buffer.byteLength(secret) < 32) throw wrong('JWT_SECRET', 'is too short: it takes at least 32 bytes');
  return secret;
}

/** Origins as browsers send them, so that each is compared as it is. */
function readCorsOrigins(env: Environment): string[] {
  const value = text(env, 'CORS_ORIGINS');
  if (value === undefined) return [];
  const origins = value.split(',').map((part) => part.trim());
  if (origins.includes('*')) {
    throw wrong(
      'CORS_ORIGINS',
      'must name each origin: with * every website could use a key or token that it gets hold of',
    );
  }
  if (!origins.every(isOrigin)) {
    throw wrong('CORS_ORIGINS', 'must be origins such as https://app.example.com, without a path, separated by commas');
  }
  return [...new Set(origins)];
}

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function readSupport(env: Environment): Config['support'] {
  const user = text(env, 'ADMIN_USER');
  const password = env['ADMIN_PASSWORD'] || undefined;
  if (user === undefined && password === undefined) return undefined;
  if (user === undefined || password === undefined) throw wrong('ADMIN_USER', 'and ADMIN_PASSWORD go together');
  if (user.includes(':')) throw wrong('ADMIN_USER', 'must not contain a colon');
  if (password.length < 12) throw wrong('ADMIN_PASSWORD', 'is too short: it takes at least 12 characters');
  return { user, password };
}

function readMetricsPort(env: Environment, port: number): number | undefined {
  if (text(env, 'METRICS_PORT') === undefined) return undefined;
  const metricsPort = integer(env, 'METRICS_PORT', 0, 1, 65535);
  if (metricsPort === port) throw wrong('METRICS_PORT', 'must be another port than PORT');
  return metricsPort;
}

function readNetworks(env: Environment, name: string, fallback: string): string[] {
  const listed = (text(env, name) ?? fallback).split(/[\s,]+/).filter(Boolean);
  return listed.map((one) => {
    const network = normaliseNetwork(one);
    if (network === undefined) throw wrong(name, 'addresses and networks such as 10.0.0.5, 10.1.0.0/16', one);
    return network;
  });
}

/** A URL is asked when the first report comes; a file is read now, so that a wrong one stops the start. */
function readGithubKeys(env: Environment): GithubKeys | URL | undefined {
  const name = 'GITHUB_SECRET_SCANNING_KEYS';
  const value = text(env, name);
  if (value === undefined || value === 'off') return undefined;
  if (/^https?:/i.test(value)) return new URL(url(env, name, ['http:', 'https:']) ?? '');
  try {
    return githubKeysIn(readFileSync(value, 'utf8'));
  } catch {
    throw wrong(name, 'takes the URL of a key set, or a file that holds one with a key on P-256');
  }
}

function readOwner(env: Environment): Config['owner'] {
  const email = text(env, 'OWNER_EMAIL');
  const password = env['OWNER_PASSWORD'] || undefined;
  const tenantName = text(env, 'TENANT_NAME');
  if (email === undefined && password === undefined && tenantName === undefined) return undefined;
  if (email === undefined || password === undefined || tenantName === undefined) {
    throw new ConfigError('OWNER_EMAIL, OWNER_PASSWORD and TENANT_NAME go together: set all three or none');
  }
  return { email, password, tenantName };
}

function readDatabase(env: Environment, dataDir: string): DatabaseConfig {
  const name = ['DATABASE_URL', 'JAWSDB_URL', 'CLEARDB_DATABASE_URL'].find((candidate) => text(env, candidate));
  const connections = integer(env, 'DATABASE_CONNECTIONS', 8, FEWEST_CONNECTIONS, 1_000);
  if (name !== undefined) return readMysql(env, name, connections);
  if (env['DYNO']) {
    throw wrong('DATABASE_URL', 'must be set here: a dyno loses its disk at each restart, and SQLite with it');
  }
  return { kind: 'sqlite', file: path.join(dataDir, 'latchkey.db') };
}

function readMysql(env: Environment, name: string, connections: number): MysqlConfig {
  const parsed = new URL(url(env, name, ['mysql:', 'mariadb:']) ?? '');
  const database = unescaped(name, parsed.pathname.slice(1));
  if (!parsed.hostname || !database)
    throw wrong(name, 'must name a host and a database: mysql://user:password@host/name');
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  const tls = readTls(name, parsed.searchParams);
  // The driver would compare the certificate with `localhost`.
  if (tls?.verifyName && isIP(host))
    throw wrong(name, 'has an address where ssl-mode=verify-identity needs a host name');
  return {
    kind: 'mysql',
    host,
    port: parsed.port ? Number(parsed.port) : 3306,
    user: unescaped(name, parsed.username),
    password: unescaped(name, parsed.password),
    database,
    connections,
    tls,
  };
}

function unescaped(name: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw wrong(name, 'has a % that is no escape: write %25 for the character itself');
  }
}

/** A TLS mode is used exactly or stops the start, since falling back to clear text would go unnoticed. */
function readTls(name: string, params: URLSearchParams): MysqlConfig['tls'] {
  for (const key of params.keys()) {
    if (/ssl|tls/i.test(key) && key !== 'ssl-mode' && key !== 'ssl-ca') {
      throw wrong(name, `has ?${key}=, which is not understood: use ?ssl-mode= and ?ssl-ca=`);
    }
    if (params.getAll(key).length > 1) throw wrong(name, `has ?${key}= more than once`);
  }
  const mode = params.get('ssl-mode')?.toLowerCase().replace('_', '-');
  const ca = readCa(name, params.get('ssl-ca'));
  switch (mode) {
    case 'verify-identity':
      return { ca, verifyChain: true, verifyName: true };
    case 'verify-ca':
      return { ca, verifyChain: true, verifyName: false };
    case 'required':
      if (ca !== undefined) throw wrong(name, 'has ?ssl-ca=, which only verify-ca and verify-identity use');
      return { ca, verifyChain: false, verifyName: false };
    case undefined:
      if (ca !== undefined) throw wrong(name, 'has ?ssl-ca= but no ?ssl-mode=');
      return undefined;
    default:
      throw wrong(name, 'has an ssl-mode it cannot honour: it takes verify-identity, verify-ca or required');
  }
}

function readCa(name: string, file: string | null): string | undefined {
  if (file === null) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw wrong(name, 'names an ssl-ca file that cannot be read');
  }
}
