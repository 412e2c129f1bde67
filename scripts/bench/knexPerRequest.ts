import Router from '@koa/router';
import knexFactory, { type Knex } from 'knex';
import Koa from 'koa';
import { hashKey } from '../../app/domain/token.ts';
import { connect } from '../../db/connection/connect.ts';
import { ANSWER, PATH } from './answer.ts';

interface Row {
  id: string;
  tenant_id: string;
  scopes: string;
  key_hash: Buffer;
  revoked_at: number | null;
  expires_at: number | null;
}

// What most products do: one indexed query for each request, through Knex, on the same table.
const db = open();
const router = new Router().get(PATH, async (ctx) => {
  const row = await db<Row>('api_keys')
    .where({ key_hash: hashKey(ctx.get('x-api-key')) })
    .first('id', 'tenant_id', 'scopes', 'revoked_at', 'expires_at');
  const valid = row !== undefined && row.revoked_at === null && (row.expires_at ?? Infinity) > Date.now();
  if (valid) ctx.body = ANSWER;
  else ctx.status = 401;
});
new Koa().use(router.routes()).listen(Number(process.env['PORT']), '127.0.0.1');

function open(): Knex {
  const url = process.env['DATABASE_URL'];
  if (url === undefined) return connect({ kind: 'sqlite', file: String(process.env['SQLITE_FILE']) });
  // Plain Knex, without the deadlines of our own connections.
  return knexFactory({ client: 'mysql2', connection: url, pool: { min: 10, max: 10 } });
}
