// Parts of a page that htmx fetches: dialogs, lists, the keyboard's place, and what could not be fetched.
import { openDialog, openerOf } from './dialogs.js';
import { showProblem, words } from './toasts.js';

const asked = new WeakMap();
document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
  // A dialog that takes the place of another one was opened by what opened the first.
  asked.set(ctx, { pressed: document.activeElement, opener: openerOf(ctx.sourceElement.closest?.('dialog')) });
});
document.addEventListener('htmx:after:swap', ({ detail }) => {
  const { ctx } = detail;
  const { pressed, opener = ctx.sourceElement.isConnected ? ctx.sourceElement : pressed } = asked.get(ctx);
  document.querySelectorAll('dialog[data-dialog]:not([open])').forEach((dialog) => openDialog(dialog, opener));
  focusProblems();
});
// What asks by itself fails by itself, and leads nobody away: who is refused an answer is left the plain link.
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

// A list that could not be fetched says so where it would stand; any other trouble is said over the page.
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

// In the server's words, where it had any.
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
  showClear(region);
  say(region);
  // The list takes the place of its skeleton again right after this.
  queueMicrotask(() => resume(region, asked.get(ctx)?.pressed.textContent));
});

// How much there is now, for those who do not see it.
function say(region) {
  const said = region.querySelector('[data-said]');
  region.parentElement.querySelector('[data-say]').textContent = said?.textContent.trim() ?? '';
}

// What was pressed is gone: the keyboard goes on from what stands in its place, or from the top of the list.
function resume(region, pressed) {
  if (document.activeElement !== document.body) return;
  const again = [...region.querySelectorAll('[hx-get]')].find(({ textContent }) => textContent === pressed);
  (again ?? region).focus({ preventScroll: true });
  if (region.getBoundingClientRect().top < 0) region.scrollIntoView();
}

// The way out of a filter is there while one is set.
function showClear(region) {
  const form = document.getElementById(`${region.id}-filters`);
  const clear = form?.querySelector('[data-clear]');
  if (clear) clear.hidden = [...new FormData(form)].every(([name, value]) => value === '' || name === 'sort');
}

function focusProblems() {
  const summary = document.querySelector('[data-focus]');
  if (!summary) return;
  summary.removeAttribute('data-focus');
  summary.focus();
}
focusProblems();
