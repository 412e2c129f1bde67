// Shows that requests run: on what was pressed, and by a line at the top of the page; styles show both after a moment.

const root = document.documentElement;
const busy = new Set();

/** Marks what was pressed as busy, and the page with it. */
export function startProgress(pressed) {
  busy.add(pressed);
  pressed.setAttribute('aria-busy', 'true');
  root.classList.add('waiting');
}

/** Ends what `startProgress` began. */
export function endProgress(pressed) {
  busy.delete(pressed);
  pressed.removeAttribute('aria-busy');
  root.classList.toggle('waiting', busy.size > 0);
}

// The page is shown again, from the browser's cache or because its request was for a file.
addEventListener('pageshow', () => busy.forEach(endProgress));

const pressedFor = new WeakMap();
document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
  const pressed = ctx.sourceEvent?.submitter ?? ctx.sourceElement;
  // A list shows by its skeleton that it follows its filter, and what asks again and again shows nothing.
  if (!pressed.matches?.('a, button') || pressed.matches('[data-quiet]')) return;
  pressedFor.set(ctx, pressed);
  startProgress(pressed);
});
document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
  // An answer that leads to another page is not done until that is there.
  if (pressedFor.has(ctx) && !ctx.hx?.redirect) endProgress(pressedFor.get(ctx));
});
