import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigError, type Config } from '../config.ts';
import { makeFolder } from '../makeFolder.ts';

/** The only form in which the secret is written and read: tokens signed with a shorter one could be forged. */
const SECRET_PATTERN = /^[0-9a-f]{64}$/;

/** The secret that signs tokens: the configured one, or with embedded SQLite one made at first start and kept beside it. */
export function signingSecret(config: Pick<Config, 'dataDir' | 'jwt'>): string {
  if (config.jwt.secret !== undefined) return config.jwt.secret;
  makeFolder(config.dataDir);
  const file = path.join(config.dataDir, 'jwt-secret');
  if (!existsSync(file)) makeSecret(file);
  const secret = readFileSync(file, 'utf8');
  if (SECRET_PATTERN.test(secret)) return secret;
  throw new ConfigError(
    `${file} does not hold the secret that was written to it: put it back from a backup, or delete it for a new one, with which everybody signs in again`,
  );
}

/**
 * Of several processes at the same time the first wins; the file gets its name once it is complete, so that none reads
 * a part.
 */
function makeSecret(file: string): void {
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    writeFileSync(draft, randomBytes(32).toString('hex'), { flag: 'wx', mode: 0o600, flush: true });
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
