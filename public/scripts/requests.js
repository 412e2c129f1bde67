// Parts of a page that htmx fetches: dialogs, lists, where the focus goes after them, and failures.
import { openDialog, openerOf } from './dialogs.js';
import { showProblem, words } from './toasts.js';

// For each request, what had the focus and what opened the dialog that it comes from.
const requestStarts = new WeakMap();
document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
  // A dialog that replaces another one gives the focus back to the element that opened the first.
  requestStarts.set(ctx, { pressed: document.activeElement, opener: openerOf(ctx.sourceElement.closest?.('dialog')) });
});
document.addEventListener('htmx:after:swap', ({ detail }) => {
  const { ctx } = detail;
  const { pressed, opener = ctx.sourceElement.isConnected ? ctx.sourceElement : pressed } = requestStarts.get(ctx);
  document.querySelectorAll('dialog[data-dialog]:not([open])').forEach((dialog) => openDialog(dialog, opener));
  focusProblems();
});
// A failed request of an element that polls shows no message; when it is refused, the plain link replaces the element.
document.addEventListener('htmx:before:response', (event) => {
  const { sourceElement, response } = event.detail.ctx;
  if (response.status < 400 || !sourceElement.matches('[data-quiet]')) return;
  event.preventDefault();
  if (response.status >= 500) return;
  sourceElement.parentElement.querySelector('.plain-only')?.classList.remove('plain-only');
  sourceElement.remove();
});
document.addEventListener('htmx:response:error', ({ detail: { ctx } }) => {
  const { status, headers } = ctx.response;
  if (status !== 422 && !headers.get('HX-Redirect')) showTrouble(ctx);
});
document.addEventListener('htmx:error', ({ detail: { ctx } }) => {
  if (ctx && !ctx.response && !ctx.sourceElement.matches('[data-quiet]')) showTrouble(ctx);
});

// A list that could not be fetched shows the failure in its place; any other failure is a message over the page.
function showTrouble(ctx) {
  const [title, text] = troubleOf(ctx);
  const region = ctx.target?.closest?.('[data-region]');
  if (!region) return showProblem([title, text]);
  const failed = region.parentElement.querySelector('[data-failed]').content.cloneNode(true);
  failed.querySelector('[data-failed-why]').textContent = `${title}. ${text}`;
  const retry = failed.querySelector('[data-retry]');
  retry.setAttribute('hx-get', ctx.request.action);
  if (ctx.select) retry.setAttribute('hx-select', ctx.select);
  region.replaceChildren(failed);
  htmx.process(region);
}

/** The title and text of a failure: those of the server's error page, or else that the network failed. */
export function troubleOf({ request, response, text }) {
  const page = response && new DOMParser().parseFromString(text, 'text/html');
  const problem = page?.querySelector('[data-problem]');
  if (!problem) return [words.networkTitle, request.method === 'GET' ? words.network : words.networkChange];
  const lines = [...problem.querySelectorAll('p:not(.problem-status, .problem-actions)')];
  return [problem.querySelector('h1').textContent, lines.map((line) => line.textContent.trim()).join(' ')];
}

document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
  const region = ctx.target?.closest?.('[data-region]');
  if (!region) return;
  updateClearLink(region);
  showFolded(region);
  showFieldProblems(region);
  announceCount(region);
  // htmx shows the list in place of its skeleton right after this event.
  queueMicrotask(() => restoreFocus(region, requestStarts.get(ctx)?.pressed.textContent));
});

// A problem of the filter is shown at its field, which lies outside of the list that was fetched.
function showFieldProblems(region) {
  const form = document.getElementById(`${region.id}-filters`);
  for (const field of form?.querySelectorAll('[aria-invalid]') ?? []) {
    document.getElementById(`${field.name}-problem`)?.remove();
    field.removeAttribute('aria-invalid');
    field.removeAttribute('aria-describedby');
    field.closest('.field').classList.remove('field-wrong');
  }
  for (const problem of region.querySelectorAll('[data-field-problem]')) {
    const field = form.elements[problem.dataset.fieldProblem];
    field.closest('.field').append(problem.content.cloneNode(true));
    field.closest('.field').classList.add('field-wrong');
    field.setAttribute('aria-invalid', 'true');
    field.setAttribute('aria-describedby', `${field.name}-problem`);
  }
}

// Announces the new length of a list to screen readers.
function announceCount(region) {
  const said = region.querySelector('[data-said]');
  region.parentElement.querySelector('[data-say]').textContent = said?.textContent.trim() ?? '';
}

// The pressed link was replaced with the list: the focus moves to the link of the same text, or to the list.
function restoreFocus(region, pressed) {
  if (document.activeElement !== document.body) return;
  const replacement = [...region.querySelectorAll('[hx-get]')].find(({ textContent }) => textContent === pressed);
  (replacement ?? region).focus({ preventScroll: true });
  if (region.getBoundingClientRect().top < 0) region.scrollIntoView();
}

// The link that clears the filter is shown only while a filter is set; it keeps the order of the list.
function updateClearLink(region) {
  const form = document.getElementById(`${region.id}-filters`);
  const clear = form?.querySelector('[data-clear]');
  if (!clear) return;
  const fields = new FormData(form);
  clear.hidden = [...fields].every(([name, value]) => value === '' || name === 'sort');
  const sort = fields.get('sort');
  if (sort) clear.href = `${form.getAttribute('action')}?${new URLSearchParams({ sort })}`;
}

// The button that filters are folded behind says how many of them are set.
function showFolded(region) {
  const fold = document.getElementById(`${region.id}-filters`)?.querySelector('[data-fold]');
  if (!fold) return;
  const fields = [...fold.querySelectorAll('select, input')];
  const set = fields.filter(({ type, checked, value }) => (type === 'checkbox' ? checked : value !== '')).length;
  fold.querySelector('[data-fold-count]').textContent = set > 0 ? `· ${set}` : '';
}

// The row of a new key has the focus by the address, unless the list does not show it.
if (location.hash.startsWith('#key-') && !document.getElementById(location.hash.slice(1))) {
  document.getElementById('main')?.focus({ preventScroll: true });
}

// Moves the focus to the summary of a form's problems, once.
function focusProblems() {
  const summary = document.querySelector('[data-focus]');
  if (!summary) return;
  summary.removeAttribute('data-focus');
  summary.focus();
}
focusProblems();
