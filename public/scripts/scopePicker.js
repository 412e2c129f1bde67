// The choice of scopes, a row for each resource: presets, what is included in what, the counts and badges, and the search.
const boxes = () => [...document.querySelectorAll('[data-scope] input')];
const dispatchChange = (element) => element.dispatchEvent(new Event('change', { bubbles: true }));

document.addEventListener('click', (event) => {
  const preset = event.target.closest('[data-preset]');
  if (preset && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    const wanted = preset.dataset.preset.split(' ');
    for (const box of boxes()) {
      box.checked = wanted.includes(box.value);
      if (box.checked) box.closest('[data-scope-group]').open = true;
    }
    dispatchChange(preset);
  }
  const toggle = event.target.closest('[data-chosen-toggle]');
  if (toggle) toggleScope(toggle);
  const untick = event.target.closest('[name=untick]');
  if (!untick) return;
  event.preventDefault();
  untickScopes(untick);
});

// What was never used is unticked at once; without a script the server sends the form back without it.
const untickButtons = () => [...document.querySelectorAll('[name=untick]')];
function untickScopes(button) {
  const place = untickButtons().indexOf(button);
  const scopes = button.value.split(' ');
  for (const box of boxes()) if (scopes.includes(box.value)) box.checked = false;
  dispatchChange(button);
  const next = [...untickButtons().slice(place), ...untickButtons()].find(({ hidden }) => !hidden);
  (next ?? document.querySelector('[data-scope-count]')).focus({ preventScroll: true });
}
function showUnused(chosen) {
  const names = chosen.map(({ value }) => value);
  const buttons = untickButtons();
  if (buttons.length === 0) return;
  for (const button of buttons) button.hidden = !button.value.split(' ').every((scope) => names.includes(scope));
  document.querySelector('[data-unused]').hidden = buttons.every(({ hidden }) => hidden);
}

// The button goes with its badge, so the focus moves to the next one.
function toggleScope(toggle) {
  const list = toggle.closest('[data-chosen-list]');
  const place = [...list.querySelectorAll('[data-chosen-toggle]')].indexOf(toggle);
  const box = boxes().find(({ value }) => value === toggle.value);
  box.checked = !box.checked;
  dispatchChange(box);
  const toggles = list.querySelectorAll('[data-chosen-toggle]');
  const next = toggles[Math.min(place, toggles.length - 1)];
  (next ?? list.parentElement.querySelector('[data-scope-count]')).focus();
}

// Whether another chosen scope includes this one; the styles show the same without a script.
function isIncluded(box, chosen) {
  const names = (box.dataset.includedIn ?? '').split(' ');
  const row = box.closest('[data-scope-row]');
  return chosen.some((other) => {
    if (other === box) return false;
    if (names.includes(other.value)) return true;
    if (other.closest('[data-scope-row]') !== row) return false;
    return other.dataset.action === '*' || (other.dataset.action === 'write' && box.dataset.action === 'read');
  });
}

function showScopes() {
  const all = boxes();
  if (all.length === 0) return;
  const chosen = all.filter((box) => box.checked);
  const included = new Set(all.filter((box) => isIncluded(box, chosen)));
  for (const box of all) {
    const text = `${box.id}-text`;
    box.setAttribute('aria-describedby', included.has(box) ? `scope-included ${text}` : text);
  }
  showUnused(chosen);
  for (const group of document.querySelectorAll('[data-scope-group]')) showCount(group);
  for (const list of document.querySelectorAll('[data-chosen-list]')) showBadges(list, all, included);
}

function showCount(group) {
  const text = group.querySelector('[data-group-count]');
  const count = group.querySelectorAll('[data-scope] input:checked').length;
  text.textContent = count === 0 ? text.dataset.none : text.dataset.some.replace('#', count);
}

// The chosen scopes; in the form of an existing key what is added and removed, which comes first.
function showBadges(list, all, included) {
  const area = list.parentElement;
  const count = area.querySelector('[data-scope-count]');
  const isChange = area.hasAttribute('data-scope-diff');
  const badges = all.flatMap((box) => {
    const isGranted = box.hasAttribute('data-granted');
    if (!box.checked) return isChange && isGranted ? [badgeOf(area, box, 'del', '− ')] : [];
    if (isChange && !isGranted) return [badgeOf(area, box, 'ins', '+ ')];
    const badge = badgeOf(area, box, 'span', '');
    badge.classList.toggle('chosen-included', included.has(box));
    return [badge];
  });
  badges.sort((a, b) => Boolean(b.querySelector('ins, del')) - Boolean(a.querySelector('ins, del')));
  list.replaceChildren(...badges);
  count.textContent = `${count.dataset.text} ${all.filter((box) => box.checked).length}`;
}

function badgeOf(area, box, element, sign) {
  const template = area.querySelector(element === 'del' ? '[data-removed-badge]' : '[data-chosen-badge]');
  const badge = template.content.firstElementChild.cloneNode(true);
  const name = document.createElement(element);
  name.textContent = `${sign}${box.value}`;
  badge.querySelector('[data-chosen-scope]').append(name);
  const toggle = badge.querySelector('[data-chosen-toggle]');
  toggle.value = box.value;
  toggle.setAttribute('aria-label', `${toggle.getAttribute('aria-label')} ${box.value}`);
  badge.classList.toggle('badge-strong', box.closest('.scope-strong') !== null);
  return badge;
}

document.addEventListener('change', showScopes);
document.addEventListener('htmx:after:swap', showScopes);
showScopes();

document.addEventListener('input', ({ target }) => {
  if (target.matches('[data-scope-search]')) findScopes(target.value);
});
// Enter in the search must not send the form around it.
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && event.target.matches('[data-scope-search]')) event.preventDefault();
});

// While something is searched for, every group with a match is open; afterwards each is as it was.
function findScopes(text) {
  const wanted = text.trim().toLowerCase();
  let found = 0;
  for (const group of document.querySelectorAll('[data-scope-group]')) {
    const rows = [...group.querySelectorAll('[data-scope-row]')];
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    const shown = rows.filter((row) => !row.hidden).length;
    found += shown;
    group.hidden = shown === 0;
    group.dataset.wasOpen ??= group.open;
    group.open = wanted === '' ? group.dataset.wasOpen === 'true' : shown > 0;
    if (wanted === '') delete group.dataset.wasOpen;
  }
  const none = document.querySelector('[data-scope-none]');
  none.textContent = found === 0 ? none.dataset.text : '';
}
