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
