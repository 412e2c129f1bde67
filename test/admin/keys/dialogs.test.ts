import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { changePolicy, DEFAULT_POLICY, type PolicyChange } from '../../../app/domain/policy.ts';
import { changeTenant } from '../../../db/tables/tenants.ts';
import { expectAccessible, useBrowser } from '../../support/browser.ts';
import { addPlayer, as, type Player } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { inMenu, press, row } from '../../support/keyPages.ts';
import { issue, read, rotate, type Key } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

const KEYS = acmePage('/api-keys');

onDatabase('sqlite', 'the dialogs of keys', (database) => {
  const browser = useBrowser();
  const { server, acme, globex, alice, bob } = useServer(database);
  let olga: Player;
  before(async () => {
    olga = await addPlayer(server.services, acme, 'Olga', { role: 'OWNER', operator: true });
  });

  async function underPolicy(change: PolicyChange, work: () => Promise<void>): Promise<void> {
    const set = async (policy: typeof DEFAULT_POLICY) =>
      changeTenant(server.services.db, acme.id, { policy }, Date.now());
    await set(changePolicy(DEFAULT_POLICY, change));
    try {
      await work();
    } finally {
      await set(DEFAULT_POLICY);
    }
  }

  for (const [what, link, dialog, keep] of [
    ['revoking', 'Revoke', 'revoke', 'Keep key'],
    ['rotating', 'Rotate', 'rotate', 'Cancel'],
  ] as const) {
    it(`take no second press while ${what} is on its way, and can still be left`, async () => {
      const { id } = await issue(server, as(alice), { name: 'Waits' });
      const page = await browser.as(alice, server, `${KEYS}/${id}`);
      await press(page.getByRole('link', { name: link }), page.locator(`#${dialog}[open]`));
      await page.route(`**/${dialog}`, () => undefined);
      await page.locator(`#${dialog} [type=submit]`).click();
      await page.locator(`#${dialog} [type=submit]:disabled`).waitFor();
      expect(await page.getByRole('button', { name: keep }).isEnabled()).to.equal(true);
    });
  }

  for (const javaScript of [true, false]) {
    it(`say a refusal in whole sentences, and what helps, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      browser.expects(422);
      const { id } = await issue(server, as(alice), { name: 'Endless' });
      await underPolicy({ requireExpiry: true }, async () => {
        const page = await browser.as(alice, server, `${KEYS}/${id}/rotate`, { javaScript });
        await page.getByRole('button', { name: 'Rotate' }).click();
        expect(await page.getByRole('alert').innerText()).to.match(/expiry\. Change the key first$/);
      });
      const page = await browser.as(alice, server, `${KEYS}/${id}/rotate`, { javaScript });
      await underPolicy({ maxGraceSeconds: 3_600 }, async () => {
        await page.getByRole('button', { name: 'Rotate' }).click();
        expect(await page.getByRole('alert').innerText()).to.match(/at most 3,?600 seconds\.$/);
      });
    });
  }

  it('give the focus back to the button that opened the first dialog', async () => {
    browser.expects(422);
    const { id } = await issue(server, as(alice), { name: 'Endless' });
    await underPolicy({ requireExpiry: true }, async () => {
      const page = await browser.as(alice, server, `${KEYS}/${id}`);
      await press(page.getByRole('link', { name: 'Rotate' }), page.locator('#rotate[open]'));
      await page.locator('#rotate [type=submit]').click();
      await page.getByRole('alert').waitFor();
      await page.locator('#rotate').getByRole('button', { name: 'Cancel' }).click();
      await page.locator('#rotate').waitFor({ state: 'detached' });
      expect(await page.locator(':focus').innerText()).to.equal('Rotate');
    });
  });

  for (const javaScript of [true, false]) {
    it(`lead back to the filtered list with a notice and the new key in focus, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const name = `Turned ${String(javaScript)}`;
      const { id } = await issue(server, as(alice), { name });
      const query = `?q=Turned+${String(javaScript)}&sort=name`;
      const page = await browser.as(alice, server, `${KEYS}${query}`, { javaScript });
      await press(page.getByRole('link', { name: `Rotate: ${name}` }), page.locator('#rotate'));
      await press(page.locator('#rotate [type=submit]'), page.locator('#reveal'));
      await page.getByLabel('I have copied my key').check();
      await press(page.getByRole('button', { name: 'Done' }), page.locator('.keys-table'));
      await page.getByText('the key is ready to use').waitFor();
      expect(new URL(page.url()).search).to.equal(query);
      expect(await page.locator('.keys-table tbody tr').count()).to.equal(2);
      const focused = await page.locator(':focus').getAttribute('href');
      expect(focused)
        .to.match(/^\/admin\/org\/acme\/api-keys\/[\w-]{36}$/)
        .and.not.include(id);
    });
  }

  it('show a key as revoked that was revoked since its row was drawn', async () => {
    const stale = async (name: string) => {
      const { id } = await issue(server, as(alice), { name });
      const page = await browser.as(alice, server, `${KEYS}?q=${name}`);
      return { page, revoke: async () => server.post(`/api/api-keys/${id}/revoke`, {}, as(alice)) };
    };
    const status = (page: Page) => page.locator('.keys-table .status', { hasText: 'revoked' });
    const one = await stale('StaleRow');
    await one.revoke();
    await press(await inMenu(row(one.page, 'StaleRow'), 'Revoke'), status(one.page));
    await one.page.getByText('StaleRow was revoked already.').waitFor();
    const asked = await stale('StaleDialog');
    await press(await inMenu(row(asked.page, 'StaleDialog'), 'Revoke'), asked.page.locator('#revoke[open]'));
    await asked.revoke();
    await press(asked.page.locator('#revoke [type=submit]'), status(asked.page));
    await asked.page.getByText('StaleDialog was revoked already.').waitFor();
    const ticked = await stale('StaleTick');
    await ticked.page.getByLabel('Select StaleTick').check();
    await ticked.revoke();
    await press(ticked.page.getByRole('button', { name: 'Revoke selected…' }), status(ticked.page));
    await ticked.page.getByText('These keys were revoked already.').waitFor();
    expect(new URL(ticked.page.url()).search).to.equal('?q=StaleTick');
  });

  it('say of a revoke which older keys still work and until when, end those that are ticked, and leave newer ones', async () => {
    const grace = { gracePeriodSeconds: 3_600 };
    const first = await issue(server, as(alice), { name: 'Line' });
    const next = await rotate(server, as(alice), first.id, grace);
    const last = await rotate(server, as(alice), next.id, grace);
    const masked = ({ keyPrefix, lastFour }: Key) => `${keyPrefix}…${lastFour}`;
    const statuses = async () =>
      Promise.all([first, next, last].map(async ({ id }) => (await read(server, as(alice), id)).status));
    const page = await browser.as(alice, server, `${KEYS}/${last.id}`);
    const told = page.locator('main .older-keys .callout');
    expect(await told.count()).to.equal(2);
    expect(await told.first().innerText()).to.match(new RegExp(`^The old key ${masked(next)} goes on working until `));

    await press(page.getByRole('link', { name: 'Pause' }), page.locator('#pause[open]'));
    expect(await page.locator('#pause .callout-warn').count()).to.equal(2);
    await page.locator('#pause').getByRole('button', { name: 'Cancel' }).click();

    await press(page.getByRole('link', { name: 'Revoke' }), page.locator('#revoke[open]'));
    await expectAccessible(page);
    expect(await page.locator('#revoke :focus').innerText()).to.equal('Keep key');
    expect(await page.locator('#revoke :checked').count()).to.equal(0);
    await page.getByLabel(`Revoke ${masked(first)} too. Otherwise it works until `).check();
    await page.locator('#revoke [type=submit]').click();
    await page.getByText(`Line was revoked. An older key still works: ${masked(next)}.`).waitFor();
    expect(await statuses()).to.deep.equal(['revoked', 'rotating', 'revoked']);

    await page.goto(`${KEYS}/${last.id}`);
    expect(await told.count()).to.equal(1);
    await press(told.getByRole('link', { name: 'End now' }), page.locator('#revoke[open]'));
    await page.locator('#revoke [type=submit]').click();
    await page.getByText('Line was revoked.').waitFor();
    expect(await statuses()).to.deep.equal(['revoked', 'revoked', 'revoked']);
  });

  it('say of the end of an old key that the new one stays, and offer older ones where several keys are revoked', async () => {
    const old = await issue(server, as(alice), { name: 'Overlap' });
    const fresh = await rotate(server, as(alice), old.id, { gracePeriodSeconds: 3_600 });
    const plain = await issue(server, as(alice), { name: 'Overlap alone' });
    const page = await browser.as(alice, server, `${KEYS}/${old.id}/revoke`, { javaScript: false });
    expect(await page.locator('#revoke').innerText()).to.include(
      `stays as it is: ${fresh.keyPrefix}…${fresh.lastFour}`,
    );

    const several = `${KEYS}/revoke?id=${plain.id}&id=${fresh.id}`;
    await page.goto(`${several}&id=${old.id}`);
    expect(await page.locator('#revoke-some input[name=also]').count()).to.equal(0);
    await page.goto(several);
    await page.getByLabel(' too. Otherwise it works until ').check();
    await press(page.locator('#revoke-some [type=submit]'), page.locator('.keys-table'));
    await page.getByText('3 keys were revoked.').waitFor();

    const { id } = await issue(server, as(alice), { name: 'Ended' });
    await rotate(server, as(alice), id, { gracePeriodSeconds: 3_600 });
    await page.goto(`${KEYS}/${id}/revoke`);
    await press(page.locator('#revoke [type=submit]'), page.locator('.keys-table'));
    await page.getByText(/^Ended: the old key .* was revoked. The one that replaced it stays as it is.$/).waitFor();
  });

  it('keep title and answers in sight of many keys to revoke, and rest on keeping them', async () => {
    for (let i = 0; i < 30; i++) await issue(server, as(alice), { name: `Many ${i}` });
    for (const [width, height] of [
      [1280, 900],
      [390, 844],
    ] as const) {
      const page = await browser.as(alice, server, `${KEYS}?q=Many`, { width });
      await page.getByLabel('Select all on this page').check();
      await press(page.getByRole('button', { name: 'Revoke selected…' }), page.locator('#revoke-some[open]'));
      expect(await page.locator('#revoke-some :focus').innerText()).to.equal('Keep them');
      const places = await page.evaluate<Record<string, number>>(`(() => {
        const dialog = document.getElementById('revoke-some');
        const list = dialog.querySelector('.dialog-list');
        return {
          head: dialog.querySelector('.dialog-head').getBoundingClientRect().top,
          foot: dialog.querySelector('.dialog-actions').getBoundingClientRect().bottom,
          scrolled: dialog.scrollTop + dialog.querySelector('.dialog-body').scrollTop + list.scrollTop,
          hidden: list.scrollHeight - list.clientHeight,
        };
      })()`);
      expect(places.head).to.be.at.least(0);
      expect(places.foot).to.be.at.most(height);
      expect(places.scrolled).to.equal(0);
      expect(places.hidden).to.be.above(100);
    }
  });

  it('name the key whose callers the table shows', async () => {
    const old = await issue(server, as(alice), { name: 'Moved' });
    await rotate(server, as(alice), old.id, { gracePeriodSeconds: 3_600 });
    await server.get('/api/v1/whoami', { 'x-api-key': old.key });
    const page = await browser.as(alice, server, `${KEYS}/${old.id}/revoke`);
    expect(await page.locator('#revoke caption').textContent()).to.equal('Who has used it since the rotation');
  });

  for (const javaScript of [true, false]) {
    it(`are pages of their own where they were not fetched, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const { id } = await issue(server, as(alice), { name: 'Shown' });
      for (const [path, title, rests] of [
        [`${KEYS}/${id}/revoke`, 'Revoke key', 'Keep key'],
        [acmePage(`/members/${bob.id}/remove`), /^Remove /, /^Keep/],
        [`/admin/tenants/${globex.id}/suspend`, /^Suspend /, /^(Keep|Cancel)/],
      ] as const) {
        const page = await browser.as(olga, server, path, { javaScript });
        expect(await page.getByRole('heading', { name: title }).count(), path).to.equal(1);
        expect(await page.getByRole('heading', { level: 1 }).count(), path).to.equal(1);
        const keep = page.locator('a:focus');
        expect(await keep.innerText(), path).to.match(new RegExp(rests));
        await keep.click();
        await page.waitForURL((url) => url.pathname !== path);
      }
    });
  }
});
