// Messages over the page: what was done, and what went wrong.

// The texts that the page hands its scripts, in the reader's language.
export const words = document.getElementById('words').dataset;

const STAYS_MS = 8000;
export const toasts = document.getElementById('toasts');

export function showProblem([title, text]) {
  const made = document.getElementById('toast').content.cloneNode(true).firstElementChild;
  const heading = made.querySelector('[data-toast-title]');
  heading.textContent = title;
  heading.hidden = false;
  made.querySelector('[data-toast-text]').textContent = text;
  toasts.append(made);
}

// What is done may go by itself; what went wrong waits to be read.
function leaveInTime(element) {
  if (!element.classList.contains('toast-done')) return;
  const leave = () => (element.matches(':hover, :focus-within') ? setTimeout(leave, STAYS_MS) : element.remove());
  setTimeout(leave, STAYS_MS);
}
new MutationObserver((changes) => {
  for (const { addedNodes } of changes)
    for (const node of addedNodes) if (node.matches?.('[data-toast]')) leaveInTime(node);
}).observe(toasts, { childList: true });
// What a page came with is announced to nobody: only what is put in once it is there.
const HEARD_AFTER_MS = 100;
const came = [...toasts.children];
toasts.replaceChildren();
setTimeout(() => toasts.append(...came), HEARD_AFTER_MS);

// Only what lies in the open dialog can be seen and reached.
export function placeToasts() {
  const open = [...document.querySelectorAll('dialog[open]')].at(-1);
  (open ?? document.body).append(toasts);
}

// The keyboard goes on from the next message, else from what lies behind.
function dismiss(message) {
  message.remove();
  const next = toasts.querySelector('[data-dismiss]') ?? toasts.closest('dialog')?.querySelector('a, button, input');
  (next ?? document.getElementById('main')).focus();
}
document.addEventListener('click', ({ target }) => {
  if (target.closest('[data-dismiss]')) dismiss(target.closest('[data-toast]'));
});
