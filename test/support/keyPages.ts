import { expect } from 'chai';
import type { Locator, Page } from 'playwright-core';

/** The rows of the list of keys. */
export const rows = (page: Page): Locator => page.locator('.keys-table tbody tr');

/** The row that holds this text. */
export const row = (page: Page, text: string): Locator => rows(page).filter({ hasText: text });

/** Opens the menu of a row and finds the link of this name in it. */
export async function inMenu(row: Locator, name: string): Promise<Locator> {
  await row.getByRole('button', { name: /^More: / }).click();
  return row.getByRole('list').getByRole('link', { name, exact: true });
}

/** Presses what ends in another page or in a dialog, and waits for it. */
export async function press(target: Locator, next: Locator): Promise<void> {
  await target.click();
  await next.waitFor();
}

/** The text of the key that the page shows this once. */
export async function take(page: Page): Promise<string> {
  const text = await page.getByLabel('The key', { exact: true }).inputValue();
  expect(text).to.match(/^fsk_live_\w{32}$/);
  await page.getByLabel('I have copied my key').check();
  await press(page.getByRole('button', { name: 'Done' }), page.locator('.keys-table'));
  return text;
}

/** Opens every group of scopes that is folded. */
export async function unfoldScopes(page: Page): Promise<void> {
  const folded = page.locator('.scope-group:not([open]) > summary');
  // A group that was opened is none of those any more.
  for (let left = await folded.count(); left > 0; left--) await folded.first().click();
}
