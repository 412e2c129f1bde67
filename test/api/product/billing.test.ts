import { expect } from 'chai';
import { as, bearer } from '../../support/cast.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { auditOf, issue, refusal, tried } from '../../support/keys.ts';
import type { Answer } from '../../support/http.ts';
import { useServer } from '../../support/useServer.ts';

interface Checkout {
  id: string;
  plan: string;
  reference: string | null;
  status: string;
  createdBy: string | null;
  confirmedBy: string | null;
}

interface Billing {
  plan: string;
  limits: { keys: number | null; rateLimit: { limit: number } | null; monthlyQuota: number | null };
  usage: { keys: number; requestsThisMonth: number };
  pendingCheckout: Checkout | null;
  plans: { id: string; limits: Billing['limits'] }[];
}

const ACME = { 'x-tenant-id': 'acme' };

onEachDatabase('billing', (database) => {
  const { server, ...cast } = useServer(database);
  const alice = () => as(cast.alice);

  afterEach(async () => {
    const { db } = server.services;
    await db('checkouts').delete();
    await db('tenants').update({ plan: 'free' });
    await db('api_keys').delete();
  });

  it('shows the plan of a tenant that has ordered nothing: no limit but the installation’s', async () => {
    await issue(server, alice());
    const { plan, limits, usage, pendingCheckout, plans } = await billing();
    expect({ plan, limits, pendingCheckout }).to.deep.equal({
      plan: 'free',
      limits: { keys: null, rateLimit: null, monthlyQuota: null },
      pendingCheckout: null,
    });
    expect(usage.keys).to.equal(1);
    expect(plans.map(({ id }) => id)).to.deep.equal(['basic', 'starter', 'pro', 'business']);
  });

  it('counts keys that work, and what all keys asked for this month', async () => {
    const { key } = await issue(server, alice());
    const revoked = await issue(server, alice());
    await server.post(`/api/api-keys/${revoked.id}/revoke`, undefined, alice());
    const before = (await billing()).usage;
    expect(before.keys).to.equal(1);
    for (let i = 0; i < 3; i++) await server.get('/api/v1/whoami', { 'x-api-key': key });
    expect((await billing()).usage).to.deep.equal({ keys: 1, requestsThisMonth: before.requestsThisMonth + 3 });
    const other = (await server.get('/api/billing', as(cast.charlie))).body as Billing;
    expect(other.usage).to.deep.equal({ keys: 0, requestsThisMonth: 0 });
  });

  it('starts a checkout that changes nothing until it is confirmed', async () => {
    const { key, id: keyId } = await issue(server, alice(), { scopes: ['billing:write'] });
    const answer = await server.post('/api/v1/billing/checkout', { plan: 'pro' }, { 'x-api-key': key });
    const checkout = made(answer);
    expect(checkout).to.include({ plan: 'pro', reference: null, status: 'pending', createdBy: keyId });
    const now = await billing();
    expect(now.plan).to.equal('free');
    expect(now.pendingCheckout).to.deep.equal(checkout);
  });

  it('puts the tenant on the plan when an owner confirms, and writes both steps down once', async () => {
    const { id } = made(await order({ plan: 'pro', reference: 'a' }));
    const confirmed = await confirm(id);
    expect(confirmed.status).to.equal(200);
    expect(confirmed.body).to.include({ id, status: 'confirmed', confirmedBy: cast.alice.id });
    const now = await billing();
    expect(now.plan).to.equal('pro');
    expect(now.limits.keys).to.equal(100);
    expect(now.pendingCheckout).to.equal(null);

    expect((await confirm(id)).body).to.deep.equal(confirmed.body);
    const rows = await auditOf(server, alice(), id);
    expect(rows.map(({ action, before, after }) => ({ action, before, after }))).to.deep.equal([
      { action: 'CHECKOUT_STARTED', before: null, after: { plan: 'pro', reference: 'a' } },
      { action: 'CHECKOUT_CONFIRMED', before: { plan: 'free' }, after: { plan: 'pro' } },
    ]);
  });

  it('takes one reference for one checkout, whenever it is sent again', async () => {
    const first = made(await order({ plan: 'pro', reference: 'again' }));
    expect(made(await order({ plan: 'pro', reference: 'again' }))).to.deep.equal(first);
    await confirm(first.id);
    expect(made(await order({ plan: 'pro', reference: 'again' }))).to.include({ id: first.id, status: 'confirmed' });
    refusal(await order({ plan: 'starter', reference: 'again' }), 409, 'conflict');
    // References are a tenant's own, and differ by case.
    const charlie = await server.post('/api/billing/checkout', { plan: 'pro', reference: 'again' }, as(cast.charlie));
    expect(made(charlie).id).not.to.equal(first.id);
    expect(made(await order({ plan: 'starter', reference: 'AGAIN' })).id).not.to.equal(first.id);
  });

  it('makes one row of the same checkout sent many times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, async () => order({ plan: 'pro', reference: 'race' })));
    expect(new Set(answers.map((answer) => made(answer).id))).to.have.property('size', 1);
    const { db } = server.services;
    expect(await db('checkouts').where({ reference: 'race' })).to.have.length(1);
    expect(await auditOf(server, alice(), made(answers[0]).id)).to.have.length(1);
  });

  it('keeps one order waiting: a new one takes the place of the last', async () => {
    const first = made(await order({ plan: 'pro' }));
    const second = made(await order({ plan: 'business' }));
    expect((await billing()).pendingCheckout?.id).to.equal(second.id);
    refusal(await confirm(first.id), 409, 'conflict');
    expect((await billing()).plan).to.equal('free');
    expect((await auditOf(server, alice(), second.id))[0]?.after).to.include({ replaces: first.id });
  });

  it('leaves one order waiting of many different ones at once', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map(async (reference) => order({ plan: 'pro', reference })));
    const { db } = server.services;
    expect(await db('checkouts').where({ status: 'pending' })).to.have.length(1);
    expect(await db('checkouts').where({ status: 'cancelled' })).to.have.length(3);
  });

  it('confirms once of many confirmations at once', async () => {
    const { id } = made(await order({ plan: 'pro' }));
    const answers = await Promise.all(Array.from({ length: 6 }, async () => confirm(id)));
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200, 200, 200]);
    expect((await auditOf(server, alice(), id)).map(({ action }) => action)).to.deep.equal([
      'CHECKOUT_STARTED',
      'CHECKOUT_CONFIRMED',
    ]);
  });

  it('lets nobody confirm but a person who may: no key whatever it holds, no member, no outsider', async () => {
    const { id } = made(await order({ plan: 'pro' }));
    const { key } = await issue(server, alice(), { scopes: ['*'] });
    const { db } = server.services;
    await db('tenants')
      .where({ id: cast.acme.id })
      .update({ policy: JSON.stringify({ keysMayManageKeys: true }) });
    const path = `/api/v1/billing/checkouts/${id}/confirm`;
    refusal(await server.post(path, undefined, { 'x-api-key': key }), 403, 'insufficient_permission');
    refusal(await server.post(path, undefined, bearer(cast.bob)), 403, 'insufficient_permission');
    refusal(await server.post(path, undefined, bearer(cast.carol)), 403, 'insufficient_permission');
    refusal(await server.post(path, undefined, bearer(cast.charlie)), 404, 'not_found');
    await db('tenants').where({ id: cast.acme.id }).update({ policy: null });
    expect((await billing()).plan).to.equal('free');
  });

  it('withdraws an order that waits, which then cannot be confirmed, and none that was confirmed', async () => {
    const withdraw = async (id: string, headers = alice()) =>
      server.post(`/api/billing/checkouts/${id}/withdraw`, undefined, headers);
    const { id } = made(await order({ plan: 'pro', reference: 'not-wanted' }));
    refusal(await withdraw(id, as(cast.carol)), 403, 'insufficient_scope');
    refusal(await withdraw(id, as(cast.charlie)), 404, 'not_found');
    const answer = await withdraw(id);
    expect(answer.status).to.equal(200);
    expect(answer.body).to.include({ id, status: 'cancelled' });
    expect((await withdraw(id)).body).to.deep.equal(answer.body);
    const now = await billing();
    expect([now.plan, now.pendingCheckout]).to.deep.equal(['free', null]);
    refusal(await confirm(id), 409, 'conflict');
    expect((await auditOf(server, alice(), id)).map(({ action, before }) => [action, before])).to.deep.equal([
      ['CHECKOUT_STARTED', null],
      ['CHECKOUT_WITHDRAWN', { plan: 'pro', reference: 'not-wanted' }],
    ]);
    const confirmed = made(await order({ plan: 'starter' }));
    await confirm(confirmed.id);
    refusal(await withdraw(confirmed.id), 409, 'conflict');
  });

  it('sells no plan that allows more than the next larger one', async () => {
    const { plans } = await billing();
    for (const [at, { id, limits }] of plans.entries()) {
      const next = plans[at + 1]?.limits ?? { keys: Infinity, rateLimit: { limit: Infinity }, monthlyQuota: Infinity };
      for (const limit of ['keys', 'monthlyQuota'] as const) {
        expect(limits[limit], `${id} ${limit}`)
          .to.be.a('number')
          .and.be.below(next[limit] ?? 0);
      }
      expect(limits.rateLimit?.limit, id).to.be.below(next.rateLimit?.limit ?? 0);
    }
  });

  it('lets an admin look but not order', async () => {
    expect((await server.get('/api/billing', as(cast.carol))).status).to.equal(200);
    refusal(await server.post('/api/billing/checkout', { plan: 'pro' }, as(cast.carol)), 403, 'insufficient_scope');
  });

  it('refuses an order that makes no sense, by the field that is wrong', async () => {
    const wrong: [object, string[]][] = [
      [{}, ['plan']],
      [{ plan: 'gold' }, ['plan']],
      [{ plan: 'pro', reference: '' }, ['reference']],
      [{ plan: 'pro', reference: 'two words' }, ['reference']],
      [{ plan: 'pro', reference: 'x'.repeat(101) }, ['reference']],
      [{ plan: 'pro', status: 'confirmed' }, ['status']],
      [{ plan: 'pro', tenantId: cast.globex.id }, ['tenantId']],
    ];
    for (const [json, paths] of wrong) expect(refusal(await order(json), 422, 'invalid_input')).to.deep.equal(paths);
    expect(refusal(await order({ plan: 'free' }), 422, 'invalid_input')).to.deep.equal(['plan']);
  });

  describe('the limits of a plan', () => {
    it('let no more keys be made than it allows, until one is revoked or rotated away', async () => {
      await putOn('starter');
      const keys = [];
      for (let i = 0; i < 10; i++) keys.push(await issue(server, alice()));
      refusal(await server.post('/api/api-keys', { name: 'eleventh' }, alice()), 409, 'plan_limit');
      const [first, second] = keys;
      const rotated = await server.post(
        `/api/api-keys/${second?.id ?? ''}/rotate`,
        { gracePeriodSeconds: 600 },
        alice(),
      );
      expect(rotated.status).to.equal(200);
      refusal(await server.post('/api/api-keys', { name: 'eleventh' }, alice()), 409, 'plan_limit');
      await server.post(`/api/api-keys/${first?.id ?? ''}/revoke`, undefined, alice());
      await issue(server, alice());
      refusal(await server.post('/api/api-keys', { name: 'another' }, alice()), 409, 'plan_limit');
      await issue(server, as(cast.charlie));
    });

    it('hold for many keys at once', async () => {
      await putOn('starter');
      const answers = await Promise.all(
        Array.from({ length: 14 }, async () => server.post('/api/api-keys', { name: 'at once' }, alice())),
      );
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 201)).to.have.length(10);
      expect(statuses.filter((status) => status === 409)).to.have.length(4);
    });

    it('hold for apps as for keys', async () => {
      await putOn('starter');
      for (let i = 0; i < 10; i++) await issue(server, alice());
      refusal(await server.post('/api/marketplace/install', { app: 'cli' }, alice()), 409, 'plan_limit');
      const { data } = (await server.get('/api/marketplace', alice())).body as { data: { installed: boolean }[] };
      expect(data.some(({ installed }) => installed)).to.equal(false);
    });

    it('bound how often a key may come and how much it may do in a month, unless the key or the policy says else', async () => {
      const plain = await issue(server, alice());
      const own = await issue(server, alice(), { rateLimit: { limit: 7, windowSeconds: 60 }, monthlyQuota: 2 });
      expect(await limitOf(plain.key)).to.equal('1000000');
      await putOn('starter');
      expect(await limitOf(plain.key)).to.equal('300');
      expect(await limitOf(own.key)).to.equal('7');
      const { db } = server.services;
      await db('api_key_quotas').where({ key_id: plain.id }).update({ used: 99_999 });
      expect(await tried(server, plain.key)).to.equal('200');
      expect(await tried(server, plain.key)).to.equal('429 quota_exceeded');
      const policy = { defaultRateLimit: { limit: 11, windowSeconds: 60 } };
      await db('tenants')
        .where({ id: cast.acme.id })
        .update({ policy: JSON.stringify(policy) });
      expect(await limitOf((await issue(server, alice())).key)).to.equal('11');
      await db('tenants').where({ id: cast.acme.id }).update({ policy: null });
    });

    it('leave keys working that were there before', async () => {
      const keys = [];
      for (let i = 0; i < 12; i++) keys.push(await issue(server, alice()));
      await putOn('starter');
      const answers = await Promise.all(
        keys.map(async ({ key }) => server.get('/api/billing', { ...ACME, 'x-api-key': key })),
      );
      expect(answers.map(({ status }) => status)).to.deep.equal(keys.map(() => 200));
      refusal(await server.post('/api/api-keys', { name: 'thirteenth' }, alice()), 409, 'plan_limit');
    });
  });

  async function limitOf(key: string): Promise<unknown> {
    return (await server.get('/api/v1/whoami', { 'x-api-key': key })).headers['x-ratelimit-limit'];
  }

  async function putOn(plan: string): Promise<void> {
    const confirmed = await confirm(made(await order({ plan })).id);
    expect(confirmed.status, confirmed.text).to.equal(200);
  }

  async function order(json: object): Promise<Answer> {
    return server.post('/api/billing/checkout', json, alice());
  }

  async function confirm(id: string): Promise<Answer> {
    return server.post(`/api/billing/checkouts/${id}/confirm`, undefined, alice());
  }

  async function billing(): Promise<Billing> {
    const answer = await server.get('/api/billing', alice());
    expect(answer.status, answer.text).to.equal(200);
    return answer.body as Billing;
  }
});

function made(answer: Answer | undefined): Checkout {
  expect(answer?.status, answer?.text).to.equal(201);
  return answer?.body as Checkout;
}
