// Dialogs: opening and closing, and the guard of what is shown once.
import { menuButtonOf } from './menus.js';
import { placeToasts, toasts } from './toasts.js';

const openers = new WeakMap();

/** The element that opened a dialog; it gets the focus back when the dialog closes. */
export function openerOf(dialog) {
  return openers.get(dialog);
}

/** Opens a dialog as modal, with the messages in it. */
export function openDialog(dialog, opener) {
  if (dialog.open) return;
  // A link of a menu cannot have the focus once the menu is closed.
  openers.set(dialog, menuButtonOf(opener) ?? opener);
  dialog.showModal();
  placeToasts();
}

document.addEventListener(
  'close',
  ({ target }) => {
    if (!(target instanceof HTMLDialogElement)) return;
    placeToasts();
    const opener = openers.get(target);
    // A fetched dialog may hold a secret, which must not be shown again.
    if (target.hasAttribute('data-dialog')) target.remove();
    if (opener?.isConnected) opener.focus();
    else document.getElementById('main').focus();
  },
  true,
);
document.addEventListener(
  'cancel',
  (event) => {
    if (event.target.hasAttribute?.('data-firm')) event.preventDefault();
  },
  true,
);
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && document.querySelector('dialog[data-firm][open]')) event.preventDefault();
});
document.addEventListener('click', ({ target }) => {
  const closer = target.closest('[data-close]');
  const opened = target.closest('[data-open]');
  if (closer) closer.closest('dialog')?.close();
  else if (opened) openDialog(document.getElementById(opened.dataset.open), opened);
  else if (target instanceof HTMLDialogElement && !target.hasAttribute('data-firm')) closeByBackdrop(target);
});
let pointerDownOn = null;
document.addEventListener('pointerdown', ({ target }) => (pointerDownOn = target));
// Selecting text may end outside the dialog; only a press that began on the backdrop closes it.
function closeByBackdrop(dialog) {
  if (pointerDownOn === dialog) dialog.close();
}

// A secret that is not yet copied asks before the page is left, and is removed before the browser caches the page for Back.
addEventListener('beforeunload', (event) => {
  const guard = document.querySelector('[data-guard]');
  if (guard && !guard.querySelector('[data-guard-done]:checked')) event.preventDefault();
});
addEventListener('pagehide', () => {
  const guard = document.querySelector('[data-guard]');
  if (!guard) return;
  document.body.append(toasts);
  guard.closest('.dialog').remove();
});
