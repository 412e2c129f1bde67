// Keys of the keyboard that reach a part of the page.
import { openDialog } from './dialogs.js';

const OFF = 'latchkey-shortcuts-off';
const isOff = () => localStorage.getItem(OFF) === '1';
const keys = {
  '/': ['[data-search]', (field) => field.focus()],
  c: ['[data-create]', (link) => link.click()],
  '?': ['#shortcuts', (dialog) => openDialog(dialog, document.activeElement)],
};
document.addEventListener('keydown', (event) => {
  const { key, target, ctrlKey, metaKey, altKey } = event;
  if (ctrlKey || metaKey || altKey || !Object.hasOwn(keys, key) || isOff()) return;
  if (target.closest('input, select, textarea, [contenteditable], dialog')) return;
  const [selector, reach] = keys[key];
  const found = document.querySelector(selector);
  if (!found) return;
  event.preventDefault();
  reach(found);
});
const shortcutsSwitch = document.querySelector('[data-shortcuts-switch]');
if (shortcutsSwitch) {
  shortcutsSwitch.checked = !isOff();
  shortcutsSwitch.addEventListener('change', () => {
    if (shortcutsSwitch.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, '1');
  });
}
