// Keyboard shortcuts, and Escape, which hides the tooltip of a badge.
import { openDialog } from './dialogs.js';
import { openPalette } from './palette.js';

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

// Each shortcut finds what it acts on; without that the key does what it does in every page.
const shortcuts = {
  '/': [() => document.getElementById('palette'), () => openPalette(document.activeElement)],
  c: [() => document.querySelector('[data-create]'), (link) => link.click()],
  '?': [() => document.getElementById('shortcuts'), (dialog) => openDialog(dialog, document.activeElement)],
  j: [() => rowBeside(1), focusRow],
  k: [() => rowBeside(-1), focusRow],
  ArrowDown: [() => currentRow() && rowBeside(1), focusRow],
  ArrowUp: [() => currentRow() && rowBeside(-1), focusRow],
  x: [() => currentRow()?.querySelector('input[type=checkbox]'), (box) => box.click()],
  e: [() => currentRow()?.querySelector('a[href$="/edit"]'), (link) => link.click()],
  r: [() => currentRow()?.querySelector('a[href$="/rotate"]'), (link) => link.click()],
};

// The rows of the first list that leads anywhere; the link of a row has the focus, so that Enter opens it.
const linkOf = (row) => row.querySelector('a[href]');
const rows = () =>
  [...document.querySelectorAll('[data-region] tbody tr')].filter((row) => linkOf(row)?.checkVisibility());
const currentRow = () => rows().find((row) => row.contains(document.activeElement));
function rowBeside(step) {
  const all = rows();
  const at = all.indexOf(currentRow());
  return at === -1 ? all[0] : all[at + step];
}
function focusRow(row) {
  linkOf(row).focus();
  row.scrollIntoView({ block: 'nearest' });
}

const isTyping = ({ target }) =>
  target.closest('input:not([type=checkbox]), select, textarea, [contenteditable], dialog');

document.addEventListener('keydown', (event) => {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (event.defaultPrevented || event.isComposing || altKey || isTyping(event)) return;
  // With its modifier this one cannot be pressed by mistake, so it is never off.
  const opensByModifier = (ctrlKey || metaKey) && !shiftKey && key === 'k';
  if (opensByModifier) {
    event.preventDefault();
    openPalette(document.activeElement);
  }
  if (ctrlKey || metaKey || !Object.hasOwn(shortcuts, key) || isOff()) return;
  const [find, act] = shortcuts[key];
  const found = find();
  if (!found) return;
  event.preventDefault();
  act(found);
});

// Shortcuts can be switched off, which the browser remembers.
const OFF = 'latchkey-shortcuts-off';
const isOff = () => localStorage.getItem(OFF) === '1';
const shortcutsSwitch = document.querySelector('[data-shortcuts-switch]');
if (shortcutsSwitch) {
  shortcutsSwitch.checked = !isOff();
  shortcutsSwitch.addEventListener('change', () => {
    if (shortcutsSwitch.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, '1');
  });
}
