import { expect } from 'chai';
import { useBrowser } from '../../support/browser.ts';
import { as } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { issue, tried } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

onDatabase('sqlite', 'enforcing the policy on existing keys from its page', (database) => {
  const browser = useBrowser();
  const { server, alice } = useServer(database);
  const rule = async (change: object) => server.post('/api/security-center/settings', change, as(alice));

  for (const javaScript of [true, false]) {
    it(`says how many keys it refuses and which, before it does, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      await rule({ requireExpiry: false, enforceOnExisting: false });
      const name = `Endless ${javaScript}`;
      const { id, key } = await issue(server, as(alice), { name });
      await issue(server, as(alice), { name: 'Ending', expiresInDays: 30 });
      const page = await browser.as(alice, server, acmePage('/settings'), { javaScript });
      await page.getByLabel('Every key must have an expiry').check();
      await page.getByLabel('Hold existing keys to these two rules').check();
      await page.getByRole('button', { name: 'Save policy' }).click();
      await page.getByRole('heading', { name: /^Refuse (one|2) existing keys?\?$/ }).waitFor();
      const question = await page.locator('main').innerText();
      expect(question).to.include(name).and.not.include('Ending');
      expect(await tried(server, key)).to.equal('200');

      await page.getByRole('button', { name: /^Save and refuse/ }).click();
      await page.getByText('The key policy is saved and in force.').waitFor();
      expect(await tried(server, key)).to.equal('403 policy_violation');
      expect(await page.getByRole('link', { name: 'Show them in the list' }).count()).to.equal(1);
      await page.getByRole('link', { name: 'Show them in the list' }).click();
      const row = page.getByTestId(`key-${id}`);
      expect(await row.innerText()).to.include('refused by the policy');
      expect(await page.getByText('Ending').count()).to.equal(0);
      await row.getByRole('link', { name, exact: true }).click();
      await page.getByText('This key is refused: it breaks the key policy.').waitFor();
    });
  }
});
