// Dialogs: opening and closing, and the guard of what is shown once.
import { placeToasts, toasts } from './toasts.js';

const openers = new WeakMap();

/** What opened a dialog, and gets the keyboard back once it is closed. */
export function openerOf(dialog) {
  return openers.get(dialog);
}

export function openDialog(dialog, opener) {
  if (dialog.open) return;
  openers.set(dialog, opener);
  dialog.showModal();
  placeToasts();
}

document.addEventListener(
  'close',
  ({ target }) => {
    if (!(target instanceof HTMLDialogElement)) return;
    placeToasts();
    const opener = openers.get(target);
    // What was fetched for this once holds what may not be seen again.
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
  else if (target instanceof HTMLDialogElement && !target.hasAttribute('data-firm')) closeBeside(target);
});
let pressedOn = null;
document.addEventListener('pointerdown', ({ target }) => (pressedOn = target));
// A press that began on the text and slipped out is no wish to close.
function closeBeside(dialog) {
  if (pressedOn === dialog) dialog.close();
}

// What is shown once is guarded until it was taken, and is not in what a browser keeps for its Back button.
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
