import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import { ROOT } from '../../app/root.ts';
import { run } from '../../scripts/admin/run.ts';
import { as, PASSWORD } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { keyOf, tried } from '../support/keys.ts';
import { JWT_SECRET } from '../support/server.ts';
import { useServer } from '../support/useServer.ts';
import { Visitor } from '../support/visitor.ts';
import { acmePage } from '../support/organisationPages.ts';

const document = readFileSync(path.join(ROOT, 'docs/moving.md'), 'utf8');
const sha256 = (text: string, encoding: 'hex' | 'base64url') => createHash('sha256').update(text).digest(encoding);

/** The lines that a documented query gives, in a database that these statements make. */
function exported(name: string, statements: readonly string[]): string {
  const [, query = ''] = document.split(`-- ${name}\n`);
  const old = new DatabaseSync(':memory:');
  try {
    for (const statement of statements) old.exec(statement);
    const rows = old.prepare(query.split('\n```')[0] ?? '').all() as Record<string, string>[];
    return rows.map((row) => Object.values(row)[0]).join('\n');
  } finally {
    old.close();
  }
}

onEachDatabase('docs/moving.md', (database) => {
  const { server, alice } = useServer(database);

  async function imported(lines: string): Promise<{ imported: number; lines: { id?: string }[] }> {
    const out: string[] = [];
    const code = await run(['key', 'import', '-', '--tenant', 'acme', '--json'], {
      env: { ...database.env(), JWT_SECRET },
      readInput: async () => lines,
      write: (text) => out.push(text),
      complain: (text) => out.push(text),
    });
    expect(code, out.join('\n')).to.equal(0);
    await server.services.keyTexts.refresh();
    return JSON.parse(out.join('\n')) as { imported: number; lines: { id?: string }[] };
  }

  it('exports the keys of Better Auth that work, which work here with their permissions, and says on their page when they came', async () => {
    const [works, disabled, expired] = ['ba_first_key_text', 'ba_disabled_key', 'ba_expired_key'] as const;
    const row = (id: string, text: string, enabled: number, expiresAt: string) =>
      `insert into apikey values ('${id}', 'default', 'Night job', 'ba_fir', 'user-7', 'ba_', '${sha256(text, 'base64url')}',
        ${enabled}, '${expiresAt}', '{"projects":["read"],"orders":["read","write"]}', '{"plan":"pro"}')`;
    const { imported: count, lines } = await imported(
      exported('Better Auth, SQLite', [
        `create table apikey (id text primary key, configId text, name text, start text, referenceId text, prefix text,
          key text, enabled integer, expiresAt date, permissions text, metadata text)`,
        row('one', works, 1, '2999-01-31T12:00:00.000Z'),
        row('two', disabled, 0, '2999-01-31T12:00:00.000Z'),
        row('three', expired, 1, '2001-01-31T12:00:00.000Z'),
      ]),
    );
    expect(count).to.equal(1);
    const answers = await Promise.all([works, disabled, expired].map(async (text) => tried(server, text)));
    expect(answers).to.deep.equal(['200', '401 invalid_key', '401 invalid_key']);
    const id = lines[0]?.id ?? '';
    expect(keyOf(await server.get(`/api/v1/api-keys/${id}`, as(alice)), 200)).to.deep.include({
      name: 'Night job',
      keyPrefix: 'ba_fir',
      lastFour: '',
      scopes: ['projects:read', 'orders:read', 'orders:write'],
      expiresAt: '2999-01-31T12:00:00.000Z',
      externalId: 'user-7',
      metadata: { plan: 'pro' },
    });
    const visitor = new Visitor(server);
    await visitor.signIn(alice.email, PASSWORD);
    const page = (await visitor.get(acmePage(`/api-keys/${id}`))).text;
    expect(page).to.include('<dt>Imported</dt>').and.not.to.include('API_KEY_IMPORTED');
  });

  it('exports a table of one’s own, and its keys work here', async () => {
    const [works, revoked] = ['own_first_key_text', 'own_revoked_key'] as const;
    const row = (id: number, text: string, label: string, revokedAt: string) =>
      `insert into api_keys values (${id}, ${label}, '${sha256(text, 'hex')}', 'acme', 'projects:read orders:read', null, ${revokedAt})`;
    const { imported: count, lines } = await imported(
      exported('own table, SQLite', [
        `create table api_keys (id integer primary key, label text, key_sha256 text, customer text, scopes text,
          expires_at text, revoked_at text)`,
        row(41, works, 'null', 'null'),
        row(42, revoked, "'Old'", "'2026-01-01 00:00:00'"),
      ]),
    );
    expect(count).to.equal(1);
    expect([await tried(server, works), await tried(server, revoked)]).to.deep.equal(['200', '401 invalid_key']);
    expect(keyOf(await server.get(`/api/v1/api-keys/${lines[0]?.id}`, as(alice)), 200)).to.deep.include({
      name: 'key 41',
      scopes: ['projects:read', 'orders:read'],
      expiresAt: null,
      externalId: '41',
    });
  });
});
