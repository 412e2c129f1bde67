// Keyboard shortcuts, and Escape, which hides the tooltip of a badge.
import { openDialog } from './dialogs.js';

const root = document.documentElement;

// Escape hides a tooltip until the next one is shown; a dialog around it stays open.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !document.querySelector('[data-tip]:is(:hover, :focus-visible)')) return;
  if (root.classList.contains('tips-off')) return;
  event.preventDefault();
  root.classList.add('tips-off');
});
for (const kind of ['focusin', 'pointerover']) {
  document.addEventListener(kind, ({ target }) => {
    if (target.matches?.('[data-tip]')) root.classList.remove('tips-off');
  });
}

// Shortcuts can be switched off, which the browser remembers.
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
  const [selector, act] = keys[key];
  const found = document.querySelector(selector);
  if (!found) return;
  event.preventDefault();
  act(found);
});
const shortcutsSwitch = document.querySelector('[data-shortcuts-switch]');
if (shortcutsSwitch) {
  shortcutsSwitch.checked = !isOff();
  shortcutsSwitch.addEventListener('change', () => {
    if (shortcutsSwitch.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, '1');
  });
}
