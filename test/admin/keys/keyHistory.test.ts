import { expect } from 'chai';
import { newId } from '../../../app/domain/id.ts';
import { as, PASSWORD } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { issue, rotate } from '../../support/keys.ts';
import { explained } from '../../support/plans.ts';
import { useServer } from '../../support/useServer.ts';
import { Visitor } from '../../support/visitor.ts';
import { acmePage } from '../../support/organisationPages.ts';

const USES = 1_200;

onEachDatabase('the page of a key', (database) => {
  const { server, ...cast } = useServer(database);

  it('shows what was done to a key without reading its uses, however many there are', async () => {
    const alice = as(cast.alice);
    const key = await issue(server, alice, { name: 'first name' });
    await server.patch(`/api/api-keys/${key.id}`, { name: 'second name' }, alice);
    const uses = Array.from({ length: USES }, (_, n) => ({
      id: newId(),
      tenant_id: cast.acme.id,
      action: 'API_KEY_USED',
      entity: 'api_key',
      entity_id: key.id,
      actor_type: 'api_key',
      actor_id: key.id,
      window_key: `used:${key.id}:${n}`,
      created_at: Date.now() + n,
    }));
    await server.services.db.batchInsert('audit_logs', uses, 100);
    const visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
    let text = '';
    const plans = await explained(server, 'audit_logs', async () => {
      ({ text } = await visitor.get(acmePage(`/api-keys/${key.id}`)));
    });
    expect(text).to.include('first name').and.include('second name');
    expect(plans.length).to.be.within(2, 10);
    for (const { sql, ...plan } of plans) {
      expect(plan, sql).to.deep.equal({ scans: false, sorts: false });
      // Rows are found by the actions that there may be, none of which is a use, and then read by their ids.
      expect(sql).to.match(/`action` = \?.*`entity_id` = \?|where `id` in /s);
    }
  });

  it('shows the rotation that made a key, later changes of that key above it, and when the replaced one ended', async () => {
    const alice = as(cast.alice);
    const { id } = await issue(server, alice, { name: 'to be rotated' });
    const next = await rotate(server, alice, id);
    await server.patch(`/api/api-keys/${next.id}`, { name: 'changed since' }, alice);
    const visitor = new Visitor(server);
    await visitor.signIn(cast.alice.email, PASSWORD);
    const { text } = await visitor.get(acmePage(`/api-keys/${next.id}`));
    const done = [...text.matchAll(/data-label="What">([^<]*)</g)].map(([, what]) => what);
    expect(done).to.deep.equal(['Changed', 'Made by rotation']);
    const old = (await visitor.get(acmePage(`/api-keys/${id}`))).text;
    expect(old).to.match(new RegExp(`ended on\\s+<time[^>]* datetime="${new Date().getUTCFullYear()}-`));
    expect(text, 'no chart of a key that was not used').to.include('Never used').and.not.include('class="chart"');
  });
});
