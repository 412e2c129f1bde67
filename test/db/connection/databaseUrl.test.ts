import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { ConfigError, readConfig } from '../../../app/config.ts';
import type { DatabaseConfig } from '../../../db/connection/settings.ts';
import { ROOT } from '../../../app/root.ts';
import { JWT_SECRET } from '../../support/server.ts';

const NAMES = ['CLEARDB_DATABASE_URL', 'JAWSDB_URL', 'DATABASE_URL'];
const URL = 'mysql://ann:canary@db.example/keys';

/** Each wrong URL, and what its one line says behind the variable's name. */
const WRONG: [url: string, words: string][] = [
  ['postgres://ann:canary@db.example/keys', 'must be a URL that starts with mysql:// or mariadb://'],
  ['mysql:canary', 'must be a URL that starts with mysql:// or mariadb://'],
  ['mysql://ann:canary@db.example:port/keys', 'must be a URL that starts with mysql://'],
  ['mysql://ann:canary@db.example', 'must name a host and a database'],
  ['mysql://ann:canary@db.example/', 'must name a host and a database'],
  ['mysql:///keys', 'must name a host and a database'],
  ['mysql://ann:canary%zz@db.example/keys', 'has a % that is no escape: write %25'],
  [`${URL}%`, 'has a % that is no escape'],
  [`${URL}?ssl-mode=preferred`, 'has an ssl-mode it cannot honour'],
  [`${URL}?ssl-mode=disabled`, 'has an ssl-mode it cannot honour'],
  [`${URL}?ssl-mode=`, 'has an ssl-mode it cannot honour'],
  [`${URL}?sslmode=required`, 'has ?sslmode=, which is not understood'],
  [`${URL}?SSL-MODE=required`, 'has ?SSL-MODE=, which is not understood'],
  [`${URL}?ssl={}`, 'has ?ssl=, which is not understood'],
  [`${URL}?tls=true`, 'has ?tls=, which is not understood'],
  [`${URL}?useSSL=true`, 'has ?useSSL=, which is not understood'],
  [`${URL}?ssl-mode=required&ssl-mode=verify-ca`, 'has ?ssl-mode= more than once'],
  [
    'mysql://192.0.2.1/keys?ssl-mode=verify-identity',
    'has an address where ssl-mode=verify-identity needs a host name',
  ],
  ['mysql://[::1]/keys?ssl-mode=verify-identity', 'has an address where ssl-mode=verify-identity needs a host name'],
  [`${URL}?ssl-ca=/etc/hostname`, 'has ?ssl-ca= but no ?ssl-mode='],
  [`${URL}?ssl-mode=required&ssl-ca=/etc/hostname`, 'has ?ssl-ca=, which only verify-ca and verify-identity use'],
  [`${URL}?ssl-mode=verify-ca&ssl-ca=/no/such/file`, 'names an ssl-ca file that cannot be read'],
];

function databaseOf(url: string): DatabaseConfig {
  return readConfig({ JWT_SECRET, DATABASE_URL: url }).database;
}

describe('the database of the configuration', () => {
  it('is embedded below DATA_DIR while no URL is set', () => {
    expect(readConfig({ DATA_DIR: '/srv/keys' }).database).to.deep.equal({
      kind: 'sqlite',
      file: '/srv/keys/latchkey.db',
    });
  });

  it('may be named by the variables of Heroku add-ons, DATABASE_URL first', () => {
    let env: Record<string, string> = { JWT_SECRET, DYNO: 'web.1' };
    for (const name of NAMES) {
      const host = name.toLowerCase().replaceAll('_', '-');
      env = { ...env, [name]: `mysql://u:p@${host}/keys?reconnect=true` };
      expect(readConfig(env).database).to.include({ kind: 'mysql', database: 'keys', host });
    }
  });

  it('may have any character in its user, password and name', () => {
    expect(databaseOf('mysql://a%40b:p%25%2F%3A%23%3F@[::1]:3307/k%20eys')).to.include({
      user: 'a@b',
      password: 'p%/:#?',
      host: '::1',
      port: 3307,
      database: 'k eys',
    });
  });

  it('listens on 3306 where the URL names no port', () => {
    expect(databaseOf('mariadb://ann@db.example/keys')).to.include({ port: 3306, password: '' });
  });

  for (const name of NAMES) {
    it(`stops the start where ${name} is wrong, with one line that names it and tells no secret`, () => {
      for (const [url, words] of WRONG) {
        expect(() => readConfig({ JWT_SECRET, [name]: url }), url)
          .to.throw(ConfigError, `${name} ${words}`)
          .with.property('message')
          .that.does.not.match(/[\r\n]|canary/);
      }
    });
  }

  const certificate = path.join(ROOT, 'package.json');
  const ca = readFileSync(certificate, 'utf8');
  const modes: [query: string, tls: object | undefined][] = [
    ['', undefined],
    ['?reconnect=true', undefined],
    ['?ssl-mode=required', { ca: undefined, verifyChain: false, verifyName: false }],
    ['?ssl-mode=REQUIRED', { ca: undefined, verifyChain: false, verifyName: false }],
    ['?ssl-mode=verify-ca', { ca: undefined, verifyChain: true, verifyName: false }],
    ['?ssl-mode=VERIFY_CA', { ca: undefined, verifyChain: true, verifyName: false }],
    ['?ssl-mode=verify-identity', { ca: undefined, verifyChain: true, verifyName: true }],
    ['?ssl-mode=VERIFY_IDENTITY', { ca: undefined, verifyChain: true, verifyName: true }],
    [`?ssl-mode=verify-ca&ssl-ca=${certificate}`, { ca, verifyChain: true, verifyName: false }],
    [`?ssl-mode=verify-identity&ssl-ca=${certificate}`, { ca, verifyChain: true, verifyName: true }],
  ];
  for (const [query, tls] of modes) {
    it(`is asked in clear text or by TLS as its query says: ${query.replace(ROOT, '') || 'none'}`, () => {
      expect(databaseOf(URL + query)).to.have.deep.property('tls', tls);
    });
  }
});
