import { expect } from 'chai';
import { systemContext } from '../../../app/actions/actionContext.ts';
import { inviteMember } from '../../../app/actions/people/inviteMember.ts';
import { recordAuditEvent } from '../../../app/actions/auditRecord.ts';
import { makeResetLink } from '../../../app/actions/people/resetPassword.ts';
import { newId } from '../../../app/domain/id.ts';
import { monthStart } from '../../../app/domain/times.ts';
import { connect } from '../../../db/connection/connect.ts';
import { prune } from '../../../db/upkeep/prune.ts';
import { as } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { useServer } from '../../support/useServer.ts';

const DAY = 86_400_000;

onEachDatabase('pruning', (database) => {
  const { server, ...cast } = useServer(database);

  it('deletes uses after 30 days and their counts after 13 months, more than one batch of them, and nothing younger', async () => {
    const { db, config } = server.services;
    const now = Date.now();
    const old = Array.from({ length: 2_500 }, () => use(now - 31 * DAY));
    await db.batchInsert('api_key_usage', [...old, use(now - 29 * DAY)], 100);
    await db('api_key_usage_hours').insert([hour(now - 397 * DAY), hour(now - 395 * DAY)]);
    await db('api_key_scope_uses').insert([day('a', now - 397 * DAY), day('b', now - 395 * DAY)]);
    const pruned = await prune(db, config.database, now);
    expect(pruned).to.include({ api_key_usage: 2_500, api_key_usage_hours: 1, api_key_scope_uses: 1 });
    expect(await db('api_key_usage').pluck('created_at')).to.deep.equal([now - 29 * DAY]);
    expect(await db('api_key_usage_hours').pluck('hour')).to.deep.equal([now - 395 * DAY]);
    expect(await db('api_key_scope_uses').pluck('day')).to.deep.equal([now - 395 * DAY]);
    expect((await server.get('/api/audit-logs', as(cast.alice))).status).to.equal(200);
  });

  it('keeps a month of sums while any of its days is younger than 13 months', async () => {
    const { db, config } = server.services;
    const now = Date.now();
    const kept = monthStart(now - 396 * DAY);
    const gone = monthStart(kept - 1);
    await db('api_key_usage_months').insert([month(monthStart(gone - 1)), month(gone), month(kept)]);
    const pruned = await prune(db, config.database, now);
    expect(pruned).to.include({ api_key_usage_months: 2 });
    expect(await db('api_key_usage_months').pluck('month')).to.deep.equal([kept]);
  });

  it('deletes invitations a month after their time is over, and links for a new password with their time', async () => {
    const { db, config } = server.services;
    const now = Date.now();
    const acme = cast.acme.id;
    for (const [place, days] of [31, 29].entries()) {
      const act = systemContext(db, acme, now - (days + 7) * DAY);
      await inviteMember(act, { email: `invited${place}@acme.example`, role: 'MEMBER' });
    }
    await makeResetLink(systemContext(db, '', now - 2 * DAY), cast.bob.id);
    await makeResetLink(systemContext(db, '', now), cast.carol.id);
    const pruned = await prune(db, config.database, now);
    expect(pruned).to.include({ invitations: 1, password_resets: 1 });
    expect(await db('invitations').pluck('email')).to.deep.equal(['invited1@acme.example']);
    expect(await db('password_resets').pluck('user_id')).to.deep.equal([cast.carol.id]);
  });

  it('deletes what was tried by nobody known after 30 days, and nothing of a tenant’s own log', async () => {
    const { db, config } = server.services;
    const now = Date.now();
    const origin = { ip: null, userAgent: null, requestId: null };
    const act = { now: now - 400 * DAY, origin, actor: { type: 'anonymous', id: null, name: null } } as const;
    const failed = { action: 'LOGIN_FAILED', entityId: null } as const;
    for (const tenantId of [null, cast.acme.id]) await recordAuditEvent(db, { ...act, tenantId }, failed);
    for (let i = 0; i < 2; i++) await recordAuditEvent(db, { ...act, now: now - 31 * DAY, tenantId: null }, failed);
    await recordAuditEvent(db, { ...act, now: now - 29 * DAY, tenantId: null }, failed);
    expect(await prune(db, config.database, now)).to.include({ audit_logs: 3 });
    const left = db('audit_logs').where({ action: 'LOGIN_FAILED' }).orderBy('created_at');
    expect(await left.clone().pluck('created_at')).to.deep.equal([now - 400 * DAY, now - 29 * DAY]);
    expect(await left.clone().pluck('tenant_id')).to.deep.equal([cast.acme.id, null]);
  });

  it('is done by one process at a time', async () => {
    const { db, config } = server.services;
    const second = connect(config.database);
    try {
      await db.batchInsert(
        'api_key_usage',
        Array.from({ length: 1_500 }, () => use(1)),
        100,
      );
      const runs = await Promise.all([
        prune(db, config.database, Date.now()),
        prune(second, config.database, Date.now()),
      ]);
      expect(runs.filter((run) => run === undefined)).to.have.length(1);
      expect(runs.find((run) => run !== undefined)).to.include({ api_key_usage: 1_500 });
    } finally {
      await second.destroy();
    }
  });

  const use = (at: number) => ({
    id: newId(),
    tenant_id: cast.acme.id,
    key_id: cast.acme.id,
    method: 'GET',
    endpoint: '/api/v1/whoami',
    status_code: 200,
    response_ms: 1,
    created_at: at,
  });

  const day = (scope: string, at: number) => ({ key_id: cast.acme.id, scope, day: at, tenant_id: cast.acme.id });

  const month = (at: number) => ({ key_id: cast.acme.id, month: at, tenant_id: cast.acme.id, d1: 1, d31: 1 });

  const hour = (at: number) => ({
    key_id: cast.acme.id,
    tenant_id: cast.acme.id,
    hour: at,
    method: 'GET',
    endpoint: '/x',
    scope: '',
    ok: 1,
    denied: 0,
    response_ms: 1,
  });
});
