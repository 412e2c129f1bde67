import { expect } from 'chai';
import { behind, expectAccessible, expectNoOverflow, useBrowser } from '../../support/browser.ts';
import { as } from '../../support/cast.ts';
import { onDatabase } from '../../support/databases.ts';
import { tried } from '../../support/keys.ts';
import { useServer } from '../../support/useServer.ts';
import { acmePage } from '../../support/organisationPages.ts';

const PATH = acmePage('/marketplace');

onDatabase('sqlite', 'the page of apps', (database) => {
  const browser = useBrowser();
  const { server, alice, bob } = useServer(database);

  for (const javaScript of [true, false]) {
    it(`installs an app, shows its key once, and uninstalls it, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const page = await browser.as(alice, server, PATH, { javaScript });
      await page.getByRole('button', { name: 'Install Zapier' }).click();
      const token = page.getByLabel('Key of the app');
      const text = await token.inputValue();
      expect(await tried(server, text)).to.equal('200');
      expect(await page.locator('.command').innerText())
        .to.include(text)
        .and.include(` ${server.url}/api/v1/whoami`);
      if (javaScript) {
        await expectAccessible(page);
        await page.keyboard.press('Escape');
        await page.mouse.click(5, 300);
        expect(await token.isVisible()).to.equal(true);
        await page.getByRole('button', { name: 'Copy' }).first().click();
        await page.getByText('Copied', { exact: true }).waitFor();
        expect(await page.evaluate('navigator.clipboard.readText()')).to.equal(text);
      }
      await page.getByRole('button', { name: 'Done' }).click();
      expect(await token.isVisible()).to.equal(true);
      await page.getByLabel('I have copied the key').check();
      await page.getByRole('button', { name: 'Done' }).click();
      await page.getByRole('link', { name: 'Uninstall Zapier' }).waitFor();
      expect(await page.content()).not.to.include(text);

      expect(await behind(page)).not.to.include(text);
      await page.goto(PATH);
      await page.getByRole('link', { name: 'Uninstall Zapier' }).click();
      await page.getByText('This cannot be undone').waitFor();
      if (javaScript) {
        await expectAccessible(page);
        expect(await page.locator(':focus').innerText()).to.equal('Keep app');
      }
      await page.getByRole('button', { name: 'Uninstall', exact: true }).click();
      await page.getByText('Zapier is uninstalled and its key revoked.').waitFor();
      expect(await tried(server, text)).to.equal('401 key_revoked');
    });
  }

  it('says that an app was installed by somebody else meanwhile, and changes nothing', async () => {
    browser.expects(409);
    const page = await browser.as(alice, server, PATH, { javaScript: false, locale: 'fr' });
    await server.post('/api/marketplace/install', { app: 'make' }, as(alice));
    await page.getByRole('button', { name: 'Installer Make' }).click();
    expect(await page.getByRole('alert').innerText())
      .to.include('L’application n’a pas été installée')
      .and.include('Cette application est déjà installée.');
    await page.getByRole('link', { name: 'Désinstaller Make' }).waitFor();
    await expectNoOverflow(page);
  });

  it('says in a message over the page, with JavaScript, that an app was installed by somebody else meanwhile', async () => {
    browser.expects(409);
    const page = await browser.as(alice, server, PATH);
    await server.post('/api/marketplace/install', { app: 'cli' }, as(alice));
    await page.getByRole('button', { name: 'Install Command line' }).click();
    const toast = page.locator('#toasts [data-toast]');
    await toast.waitFor();
    expect(await toast.innerText()).to.include('This app is installed already.');
  });

  it('offers no app to people who may not install any', async () => {
    const page = await browser.as(bob, server, PATH);
    await page.getByText('Only owners and admins install apps.').waitFor();
    expect(await page.getByRole('button', { name: 'Install' }).count()).to.equal(0);
  });
});
