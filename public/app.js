// What the pages can do beyond links and forms. Each part looks for its own attributes, so a page only has to state them.
(() => {
  'use strict';

  const root = document.documentElement;
  root.classList.add('js');
  const words = document.getElementById('words').dataset;

  // ── Toasts ───────────────────────────────────────────────────────────────
  const STAYS_MS = 8000;
  const toasts = document.getElementById('toasts');

  function showProblem([title, text]) {
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
  function placeToasts() {
    const open = [...document.querySelectorAll('dialog[open]')].at(-1);
    (open ?? document.body).append(toasts);
  }

  // The keyboard goes on from the next message, else from what lies behind.
  function dismiss(message) {
    message.remove();
    const next = toasts.querySelector('[data-dismiss]') ?? toasts.closest('dialog')?.querySelector('a, button, input');
    (next ?? document.getElementById('main')).focus();
  }

  // ── Dialogs ──────────────────────────────────────────────────────────────
  const openers = new WeakMap();

  function openDialog(dialog, opener) {
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
    else if (target.closest('[data-dismiss]')) dismiss(target.closest('[data-toast]'));
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

  // ── htmx ─────────────────────────────────────────────────────────────────
  const asked = new WeakMap();
  document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
    // A dialog that takes the place of another one was opened by what opened the first.
    asked.set(ctx, { pressed: document.activeElement, opener: openers.get(ctx.sourceElement.closest?.('dialog')) });
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
  function troubleOf({ request, response, text }) {
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

  // ── Copying ──────────────────────────────────────────────────────────────
  document.addEventListener('click', async ({ target }) => {
    const button = target.closest('[data-copy]');
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const done = await copy(source);
    const status = document.querySelector(`[data-copy-status="${CSS.escape(button.dataset.copy)}"]`);
    status.textContent = done ? words.copied : words.copyFailed;
  });

  // There is no clipboard on plain http: there the old command has to do, or the reader's own keys.
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

  // ── Tips ─────────────────────────────────────────────────────────────────
  // Escape takes a tip away until the next one, and nothing else with it.
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

  // ── Shortcuts ────────────────────────────────────────────────────────────
  const OFF = 'latchkey-shortcuts-off';
  const isOff = () => localStorage.getItem(OFF) === '1';
  const keys = {
    '/': ['[data-search]', (field) => field.focus()],
    c: ['[data-create]', (link) => link.click()],
    '?': ['#shortcuts', (dialog) => openDialog(dialog, document.activeElement)],
  };
  document.addEventListener('keydown', (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey || !Object.hasOwn(keys, key) || isOff()) return;
    if (target.closest('input, select, textarea, [contenteditable], dialog')) return;
    const [selector, reach] = keys[key];
    const found = document.querySelector(selector);
    if (!found) return;
    event.preventDefault();
    reach(found);
  });
  const shortcutsSwitch = document.querySelector('[data-shortcuts-switch]');
  if (shortcutsSwitch) {
    shortcutsSwitch.checked = !isOff();
    shortcutsSwitch.addEventListener('change', () => {
      if (shortcutsSwitch.checked) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, '1');
    });
  }

  // ── Look ─────────────────────────────────────────────────────────────────
  document.addEventListener('submit', async (event) => {
    const form = event.target.closest('[data-theme-switch]');
    if (!form || !event.submitter?.value) return;
    event.preventDefault();
    const { value } = event.submitter;
    root.dataset.theme = value;
    form
      .querySelectorAll('button')
      .forEach((button) => button.setAttribute('aria-pressed', String(button.value === value)));
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const request = { method: 'POST', headers: { Accept: 'text/html' }, body, redirect: 'manual' };
    const response = await fetch(form.action, request).catch(() => undefined);
    if (response?.type === 'opaqueredirect') return;
    showProblem(troubleOf({ request, response, text: await response?.text() }));
  });

  // ── Sending once ─────────────────────────────────────────────────────────
  // htmx drops a second request by itself (hx-sync); a plain form would send both.
  const LET_GO_MS = 15_000;
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== 'post' || form.hasAttribute('hx-post')) return;
    if (form.hasAttribute('data-sent')) return event.preventDefault();
    showSent(form, true);
    // Nothing tells of a page that its reader has stopped from coming.
    setTimeout(() => showSent(form, false), LET_GO_MS);
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
    // A form that makes one key was perhaps sent before the browser put it away: its page has to give out another.
    if (persisted && document.querySelector('input[name=once]')) location.reload();
  });

  // ── Ticking all ──────────────────────────────────────────────────────────
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
  }
  document.addEventListener('change', ({ target }) => {
    if (target.matches('[data-tick-all]')) {
      for (const box of boxesOf(target)) box.checked = target.checked;
    }
    showAllTicks();
  });
  const showAllTicks = () => document.querySelectorAll('[data-tick-all]').forEach(showTicks);
  document.addEventListener('htmx:after:swap', showAllTicks);
  showAllTicks();
})();
