// Buttons that copy a text, and fields that select their text on focus.
import { words } from './toasts.js';

document.addEventListener('click', async ({ target }) => {
  const button = target.closest('[data-copy]');
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const done = await copy(source);
  const status = document.querySelector(`[data-copy-status="${CSS.escape(button.dataset.copy)}"]`);
  status.textContent = done ? words.copied : words.copyFailed;
});

// The clipboard API is missing on plain http; there the text is selected and copied by the older command.
async function copy(source) {
  const text = source.value ?? source.textContent;
  try {
    if (!navigator.clipboard) throw new Error('no clipboard');
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    select(source);
    return document.execCommand('copy');
  }
}

function select(source) {
  if (source.select) source.select();
  else getSelection().selectAllChildren(source);
}
document.addEventListener('focusin', ({ target }) => {
  if (target.matches('[data-select]')) target.select();
});
