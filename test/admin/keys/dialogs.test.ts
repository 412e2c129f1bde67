import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { changePolicy, DEFAULT_POLICY, type PolicyChange } from '../../../app/domain/policy.ts';
import { changeTenant } from '../../../db/tables/tenants.ts';
import { useBrowser } from '../../support/browser.ts';
import { addPlayer, as, type Player } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { inMenu, press, row } from '../../support/keyPages.ts';
import { issue, rotate } from '../../support/keys.ts';
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
