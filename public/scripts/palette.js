// The command palette: the server finds what was typed, the arrow keys choose, Enter opens.
import { openDialog } from './dialogs.js';

const palette = document.getElementById('palette');
const text = document.getElementById('palette-text');
const results = document.getElementById('palette-results');
const told = palette.querySelector('[data-palette-told]');
const WAIT_MS = 100;

let request = new AbortController();
let isFetching = false;
let opensFirst = false;
let timer;

/** Opens the palette with the text that it had, to be typed over. */
export function openPalette(opener) {
  openDialog(palette, opener);
  text.focus();
  text.select();
  void find();
}

const options = () => [...results.querySelectorAll('[role=option]')];
const chosen = () => results.querySelector('[aria-selected=true]');

async function find() {
  request.abort();
  request = new AbortController();
  const { signal } = request;
  isFetching = true;
  try {
    const address = `${palette.dataset.address}?${new URLSearchParams({ q: text.value.trim().slice(0, 200) })}`;
    const headers = { 'HX-Request': 'true', 'HX-Current-URL': location.href };
    const response = await fetch(address, { headers, signal });
    if (response.headers.has('HX-Redirect')) return location.assign(response.headers.get('HX-Redirect'));
    if (!response.ok) throw new Error(`status ${response.status}`);
    show(await response.text());
  } catch {
    if (!signal.aborted) show('', palette.dataset.failed);
  }
}

function show(html, message) {
  isFetching = false;
  const found = document.createElement('template');
  found.innerHTML = html;
  told.textContent = message ?? found.content.querySelector('[data-told]').content.textContent;
  results.replaceChildren(...found.content.children);
  const all = options();
  results.hidden = all.length === 0;
  told.classList.toggle('unseen', all.length > 0);
  text.setAttribute('aria-expanded', String(all.length > 0));
  choose(all[0]);
  if (opensFirst) open(all[0]);
  opensFirst = false;
}

function choose(option) {
  chosen()?.setAttribute('aria-selected', 'false');
  option?.setAttribute('aria-selected', 'true');
  if (option) text.setAttribute('aria-activedescendant', option.id);
  else text.removeAttribute('aria-activedescendant');
  option?.scrollIntoView({ block: 'nearest' });
}

function open(option, event) {
  if (!option) return;
  if (event?.ctrlKey || event?.metaKey) return window.open(option.href);
  option.click();
}

document.addEventListener('click', ({ target }) => {
  const button = target.closest('[data-palette]');
  if (button) openPalette(button);
  // The address may be one of this page.
  else if (target.closest('#palette-results a')) palette.close();
});
text.addEventListener('input', () => {
  clearTimeout(timer);
  // The answer to the text before would end the waiting for this one.
  request.abort();
  isFetching = true;
  timer = setTimeout(find, WAIT_MS);
});
text.addEventListener('keydown', (event) => {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.isComposing || (event.key !== 'Enter' && !Object.hasOwn(steps, event.key))) return;
  event.preventDefault();
  // What was typed last counts, also where Enter is faster than the answer.
  if (event.key === 'Enter' && isFetching) opensFirst = true;
  else if (event.key === 'Enter') open(chosen(), event);
  else {
    const all = options();
    choose(all.at((all.indexOf(chosen()) + steps[event.key]) % all.length));
  }
});
results.addEventListener('pointermove', ({ target }) => {
  const option = target.closest('[role=option]');
  if (option && option !== chosen()) choose(option);
});
// The focus stays in the text.
results.addEventListener('mousedown', (event) => event.preventDefault());
palette.addEventListener('close', () => {
  clearTimeout(timer);
  request.abort();
  opensFirst = false;
});
