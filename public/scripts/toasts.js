// Messages over the page: what was done, and what went wrong.

// Texts for scripts, in the reader's language; the page has them as data attributes.
export const words = document.getElementById('words').dataset;

const SHOWN_MS = 8000;
export const toasts = document.getElementById('toasts');

/** Shows a message that something went wrong. */
export function showProblem([title, text]) {
  const toast = document.getElementById('toast').content.cloneNode(true).firstElementChild;
  const heading = toast.querySelector('[data-toast-title]');
  heading.textContent = title;
  heading.hidden = false;
  toast.querySelector('[data-toast-text]').textContent = text;
  toasts.append(toast);
}

// A message of success is removed after a while, but not while it is pointed at or focused; a problem stays.
function removeAfterDelay(element) {
  if (!element.classList.contains('toast-done')) return;
  const remove = () => (element.matches(':hover, :focus-within') ? setTimeout(remove, SHOWN_MS) : element.remove());
  setTimeout(remove, SHOWN_MS);
}
new MutationObserver((changes) => {
  for (const { addedNodes } of changes)
    for (const node of addedNodes) if (node.matches?.('[data-toast]')) removeAfterDelay(node);
}).observe(toasts, { childList: true });
// Screen readers announce only what is added to a status region later, so the messages of the page are added again.
const ANNOUNCE_AFTER_MS = 100;
const initial = [...toasts.children];
toasts.replaceChildren();
setTimeout(() => toasts.append(...initial), ANNOUNCE_AFTER_MS);

// A modal dialog makes the rest of the page inert, so the messages move into the dialog that is open.
export function placeToasts() {
  const dialog = [...document.querySelectorAll('dialog[open]')].at(-1);
  (dialog ?? document.body).append(toasts);
}

// After a message is dismissed, the focus moves to the next message, or else to the dialog or the page.
function dismiss(message) {
  message.remove();
  const next = toasts.querySelector('[data-dismiss]') ?? toasts.closest('dialog')?.querySelector('a, button, input');
  (next ?? document.getElementById('main')).focus();
}
document.addEventListener('click', ({ target }) => {
  if (target.closest('[data-dismiss]')) dismiss(target.closest('[data-toast]'));
});
