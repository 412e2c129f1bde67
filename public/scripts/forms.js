// Forms: a form is sent once even if pressed twice, and a box can tick all others.
import { endProgress, startProgress } from './progress.js';

// htmx drops a second request by itself (hx-sync); a plain form would send both.
const RESEND_AFTER_MS = 15_000;
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== 'post' || form.hasAttribute('hx-post')) return;
  if (form.hasAttribute('data-sent')) return event.preventDefault();
  showSent(form, true);
  // Enter in a field may press a button that nobody sees.
  const pressed = event.submitter?.checkVisibility()
    ? event.submitter
    : form.querySelector('[type=submit]:not([hidden])');
  if (pressed) startProgress(pressed);
  // No event says that the reader stopped the request, so the form can be sent again after a while.
  setTimeout(() => {
    showSent(form, false);
    if (pressed) endProgress(pressed);
  }, RESEND_AFTER_MS);
});
function showSent(form, sent) {
  form.toggleAttribute('data-sent', sent);
  for (const button of form.elements) {
    if (button.type !== 'submit') continue;
    if (sent) button.setAttribute('aria-disabled', 'true');
    else button.removeAttribute('aria-disabled');
  }
}
addEventListener('pageshow', ({ persisted }) => {
  document.querySelectorAll('form[data-sent]').forEach((form) => showSent(form, false));
  // A page from the browser's cache may hold the id of a form that was sent already; the reload gets a new id.
  if (persisted && document.querySelector('input[name=once]')) location.reload();
});

// `data-tick-all` ticks every box of its `data-ticks` group that can be seen, and shows when only some are ticked.
function boxesOf(all) {
  const boxes = all.closest('[data-ticks]').querySelectorAll('input[type=checkbox]:not([data-tick-all], :disabled)');
  return [...boxes].filter((box) => !box.closest('[hidden]'));
}
function showTicks(all) {
  const boxes = boxesOf(all);
  const ticked = boxes.filter((box) => box.checked).length;
  all.checked = boxes.length > 0 && ticked === boxes.length;
  all.indeterminate = ticked > 0 && ticked < boxes.length;
  showTickCount(all, ticked);
}
document.addEventListener('change', ({ target }) => {
  if (target.matches('[data-tick-all]')) {
    for (const box of boxesOf(target)) box.checked = target.checked;
  }
  showAllTicks();
  const text = target.closest('[data-ticks]') && tickCountOf(target)?.textContent;
  if (text) sayCount(target, text);
});
const showAllTicks = () => document.querySelectorAll('[data-tick-all]').forEach(showTicks);
document.addEventListener('htmx:after:swap', showAllTicks);
// After the page, since the browser may tick boxes again that were ticked before a reload or Back.
addEventListener('pageshow', showAllTicks);
showAllTicks();

// The text of `data-tick-count` says how many are ticked, and screen readers are told in the status line of the list.
function tickCountOf(element) {
  return element.closest('form')?.querySelector('[data-tick-count]');
}
function showTickCount(all, ticked) {
  const count = tickCountOf(all);
  if (!count) return;
  const { one, some } = count.dataset;
  count.textContent = ticked === 1 ? one : some.replace('#', ticked);
}
function sayCount(element, text) {
  const line = element.closest('[data-region]')?.parentElement.querySelector('[data-say]');
  if (line) line.textContent = text;
}
// `data-tick-none` takes every tick away, and with them the bar that it stands in.
document.addEventListener('click', ({ target }) => {
  const all = target.closest('[data-tick-none]')?.form.querySelector('[data-tick-all]');
  if (!all) return;
  all.checked = false;
  all.dispatchEvent(new Event('change', { bubbles: true }));
  all.focus();
});
