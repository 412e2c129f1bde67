import { expect } from 'chai';
import { changedFields, type AuditAction } from '../../app/domain/auditEvent.ts';
import { systemContext } from '../../app/actions/actionContext.ts';
import { recordAuditEvent, recordAuditEventsOncePerWindow } from '../../app/actions/auditRecord.ts';
import { newId } from '../../app/domain/id.ts';
import { iso } from '../../app/domain/times.ts';
import { addPlayer, as } from '../support/cast.ts';
import { onEachDatabase } from '../support/databases.ts';
import { detailOf, issue, refusal, type AuditRow } from '../support/keys.ts';
import { useServer } from '../support/useServer.ts';

interface Page {
  data: (AuditRow & { id: string })[];
  nextCursor: string | null;
}

onEachDatabase('the audit log', (database) => {
  const { server, acme, alice, bob, carol, charlie } = useServer(database);

  it('opens to people with the permission audit:read, as its page does, and to keys with the scope read', async () => {
    const reader = await issue(server, as(alice), { scopes: ['read'] });
    const other = await issue(server, as(alice), { scopes: ['projects:write'] });
    expect((await server.get('/api/v1/audit-logs', { 'x-api-key': reader.key })).status).to.equal(200);
    refusal(await server.get('/api/v1/audit-logs', { 'x-api-key': other.key }), 403, 'insufficient_scope');
    const maud = await addPlayer(server.services, acme, 'Maud', { role: 'MEMBER', permissions: ['audit:read'] });
    for (const player of [alice, carol, maud]) {
      expect((await server.get('/api/audit-logs', as(player))).status).to.equal(200);
    }
    const refused = await server.get('/api/audit-logs', as(bob));
    refusal(refused, 403, 'insufficient_permission');
    expect(detailOf(refused)).to.equal('Missing required permission: audit:read');
  });

  it('shows who did what to which thing, and nothing else', async () => {
    const id = newId();
    const origin = { ip: '192.0.2.1', userAgent: 'é', requestId: 'request-1' };
    const actor = { type: 'user' as const, id: alice.id, name: 'Alice' };
    await recordAuditEvent(
      server.services.db,
      { tenantId: acme.id, now: 1_700_000_000_000, actor, origin },
      { action: 'SETTINGS_CHANGED', entityId: id, ...changedFields({ idleDays: 1 }, { idleDays: 2 }) },
    );
    const [row] = (await list(`entityId=${id}`)).data;
    expect(row).to.deep.equal({
      id: row?.id,
      action: 'SETTINGS_CHANGED',
      entity: 'settings',
      entityId: id,
      actorType: 'user',
      actorId: alice.id,
      actorName: 'Alice',
      ipAddress: '192.0.2.1',
      userAgent: 'é',
      requestId: 'request-1',
      before: { idleDays: 1 },
      after: { idleDays: 2 },
      createdAt: iso(1_700_000_000_000),
    });
  });

  it('is filtered by action, entity, entity id, actor and time', async () => {
    const [thing, other] = [newId(), newId()];
    await write('TICKET_OPENED', thing, 1_000);
    await write('TICKET_UPDATED', thing, 2_000);
    await write('TICKET_OPENED', other, 3_000);
    await write('CHECKOUT_STARTED', thing, 4_000);
    const times = async (query: string) => (await list(query)).data.map(({ createdAt }) => Date.parse(createdAt));
    expect(await times('entity=ticket')).to.deep.equal([3_000, 2_000, 1_000]);
    expect(await times('action=TICKET_OPENED')).to.deep.equal([3_000, 1_000]);
    expect(await times(`entityId=${thing}`)).to.deep.equal([4_000, 2_000, 1_000]);
    expect(await times(`entity=ticket&entityId=${thing}`)).to.deep.equal([2_000, 1_000]);
    expect(await times('entity=checkout&action=TICKET_OPENED')).to.deep.equal([]);
    expect(await times(`actorId=${other}`)).to.deep.equal([]);
    const span = (from: number, to: number) => `entity=ticket&from=${iso(from)}&to=${iso(to)}`;
    expect(await times(span(1_000, 2_000))).to.deep.equal([2_000, 1_000]);
    expect(await times(span(1_001, 2_999))).to.deep.equal([2_000]);
    expect(await times(`entity=ticket&from=${encodeURIComponent('1970-01-01T01:00:03+01:00')}`)).to.deep.equal([3_000]);
    const key = await issue(server, as(alice));
    const byAlice = (await list(`actorId=${alice.id}&entityId=${key.id}`)).data;
    expect(byAlice.map(({ action }) => action)).to.deep.equal(['API_KEY_CREATED']);
  });

  it('is cut into pages that together are the whole, even within one millisecond', async () => {
    const thing = newId();
    for (let i = 0; i < 7; i++) await write(i % 2 ? 'CHECKOUT_STARTED' : 'CHECKOUT_CONFIRMED', thing, 5_000 + (i >> 2));
    for (const query of [`entityId=${thing}`, `entity=checkout&from=${iso(5_000)}&to=${iso(5_001)}`]) {
      const whole = (await list(query)).data.map(({ id }) => id);
      expect(whole).to.have.length(7);
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: Page = await list(`${query}&limit=2${cursor && `&cursor=${cursor}`}`);
        expect(page.data.length).to.be.within(1, 2);
        seen.push(...page.data.map(({ id }) => id));
        cursor = page.nextCursor;
      }
      expect(seen).to.deep.equal(whole);
    }
  });

  it('refuses a cursor of another list or tenant', async () => {
    const { nextCursor } = await list('action=MEMBER_ADDED&limit=1');
    const cursor = nextCursor ?? '';
    expect(cursor).not.to.equal('');
    await list(`action=MEMBER_ADDED&limit=2&cursor=${cursor}`);
    for (const query of [`cursor=${cursor}`, `action=USER_CREATED&cursor=${cursor}`, 'action=MEMBER_ADDED&cursor=x']) {
      expect(refusal(await server.get(`/api/audit-logs?${query}`, as(alice)), 400, 'invalid_query')).to.deep.equal([
        'cursor',
      ]);
    }
    const path = `/api/audit-logs?action=MEMBER_ADDED&cursor=${cursor}`;
    refusal(await server.get(path, as(charlie)), 400, 'invalid_query');
  });

  it('refuses an unknown filter or value, and names the parameter', async () => {
    const bad = {
      action: ['NOPE', '', 'api_key_created', '__proto__'],
      entity: ['nope', ''],
      entityId: ['', 'x'.repeat(37), 'é', "' or 1=1"],
      actorId: ['', ' '],
      from: ['yesterday', '2026-02-30T00:00:00Z', '2026-01-01T00:00:00', '0'],
      to: ['2026-01-01'],
      limit: ['0', '101', 'x', ''],
      page: ['1'],
      tenantId: ['x'],
    };
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) {
        const answer = await server.get(`/api/audit-logs?${name}=${encodeURIComponent(value)}`, as(alice));
        expect(refusal(answer, 400, 'invalid_query'), `${name}=${value}`).to.deep.equal([name]);
      }
    }
  });

  it('never shows what happened in another tenant', async () => {
    const key = await issue(server, as(alice));
    const mine = await server.get(`/api/audit-logs?entityId=${key.id}`, as(charlie));
    expect(mine.body).to.deep.equal({ data: [], nextCursor: null });
    const all = (await server.get('/api/audit-logs?limit=100', as(charlie))).text;
    expect(all).not.to.include(alice.id).and.not.include(acme.id);
  });

  describe('once per window', () => {
    const window = () => `test:${newId()}`;

    it('keeps the first event of each, however many come at once', async () => {
      const one = window();
      const other = window();
      const thing = newId();
      const writing = Array.from({ length: 10 }, async (_, i) =>
        once([
          { window: i % 2 ? one : other, thing },
          { window: i % 2 ? other : one, thing },
        ]),
      );
      await Promise.all(writing);
      expect((await list(`entityId=${thing}`)).data).to.have.length(2);
    });

    it('takes many windows at once', async () => {
      const thing = newId();
      await once(Array.from({ length: 450 }, () => ({ window: window(), thing })));
      const counted = await server.services.db('audit_logs').where({ entity_id: thing }).count({ n: '*' }).first();
      expect(Number(counted?.['n'])).to.equal(450);
    });

    it('hides no other error', async () => {
      const taken = window();
      await once([{ window: taken, thing: newId() }]);
      const { id } = (await server.services.db('audit_logs').where({ window_key: taken }).first()) as { id: string };
      const faulty = [
        { row: 'without its action', change: { action: null } },
        { row: 'with an id that is taken', change: { id } },
        { row: 'with an action too long to store', change: { action: 'X'.repeat(41) } },
      ];
      const { insertAuditLogsOncePerWindow } = await import('../../db/tables/auditLogs.ts');
      for (const { row, change } of faulty) {
        // SQLite does not hold texts to a length.
        if (database.kind === 'sqlite' && change.action) continue;
        const log = { ...sample(), ...change } as ReturnType<typeof sample>;
        let failed = false;
        await insertAuditLogsOncePerWindow(server.services.db, [{ log, window: window() }]).catch(
          () => (failed = true),
        );
        expect(failed, row).to.equal(true);
      }
    });

    async function once(events: { window: string; thing: string }[]): Promise<void> {
      const act = systemContext(server.services.db, acme.id);
      await recordAuditEventsOncePerWindow(
        server.services.db,
        events.map(({ window, thing }) => ({ act, window, event: { action: 'TICKET_OPENED', entityId: thing } })),
      );
    }

    function sample() {
      return {
        id: newId(),
        tenantId: acme.id,
        action: 'LOGIN' as const,
        entity: 'user' as const,
        entityId: null,
        actor: { type: 'system' as const, id: null, name: null },
        origin: { ip: null, userAgent: null, requestId: null },
        before: null,
        after: null,
        createdAt: 1,
      };
    }
  });

  async function write(action: AuditAction, entityId: string, at: number): Promise<void> {
    await recordAuditEvent(server.services.db, systemContext(server.services.db, acme.id, at), {
      action,
      entityId,
    });
  }

  async function list(query: string): Promise<Page> {
    const { status, body, text } = await server.get(`/api/audit-logs?${query}`, as(alice));
    expect(status, text).to.equal(200);
    return body as Page;
  }
});
