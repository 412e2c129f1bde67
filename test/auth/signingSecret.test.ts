import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ConfigError, readConfig } from '../../app/config.ts';
import { signingSecret } from '../../app/auth/secrets.ts';

describe('the secret that a first start makes', () => {
  let dataDir: string;
  beforeEach(() => (dataDir = mkdtempSync(path.join(tmpdir(), 'latchkey-secret-'))));
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  const secretOf = () => signingSecret(readConfig({ DATA_DIR: dataDir }));
  const file = () => path.join(dataDir, 'jwt-secret');

  it('is kept for its owner alone, with nothing left beside it', () => {
    const secret = secretOf();
    expect(secret).to.match(/^[0-9a-f]{64}$/);
    expect(secretOf()).to.equal(secret);
    expect(readFileSync(file(), 'utf8')).to.equal(secret);
    expect(statSync(file()).mode & 0o777).to.equal(0o600);
    expect(readdirSync(dataDir)).to.deep.equal(['jwt-secret']);
  });

  for (const [what, content] of [
    ['an empty file', ''],
    ['half of one', 'ab'.repeat(16)],
    ['something else', 'x'.repeat(64)],
  ] as const) {
    it(`is never ${what}, which is refused in one line that names the file and what to do`, () => {
      writeFileSync(file(), content);
      expect(secretOf)
        .to.throw(ConfigError)
        .with.property('message')
        .that.matches(/^[^\n]+jwt-secret does not hold .+ delete it for a new one[^\n]+$/);
      expect(readFileSync(file(), 'utf8'), 'the file is left as it is').to.equal(content);
    });
  }
});
