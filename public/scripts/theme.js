// The choice of the system's theme, the dark or the light one, without reloading the page.
import { troubleOf } from './requests.js';
import { showProblem } from './toasts.js';

const root = document.documentElement;

document.addEventListener('submit', async (event) => {
  const form = event.target.closest('[data-theme-switch]');
  if (!form || !event.submitter?.value) return;
  event.preventDefault();
  const { value } = event.submitter;
  if (value === 'system') delete root.dataset.theme;
  else root.dataset.theme = value;
  form
    .querySelectorAll('button')
    .forEach((button) => button.setAttribute('aria-pressed', String(button.value === value)));
  const body = new URLSearchParams(new FormData(form, event.submitter));
  const request = { method: 'POST', headers: { Accept: 'text/html' }, body, redirect: 'manual' };
  const response = await fetch(form.action, request).catch(() => undefined);
  if (response?.type === 'opaqueredirect') return;
  showProblem(troubleOf({ request, response, text: await response?.text() }));
});
