// The form of a key: presets of scopes, the count and the changes of chosen scopes, and the search in them.
const scopeBoxes = () => [...document.querySelectorAll('input[name=scopes]')];
const dispatchChange = (element) => element.dispatchEvent(new Event('change', { bubbles: true }));

document.addEventListener('click', (event) => {
  const preset = event.target.closest('[data-preset]');
  if (!preset || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const wanted = preset.dataset.preset.split(' ');
  for (const box of scopeBoxes()) box.checked = wanted.includes(box.value);
  dispatchChange(preset);
});

// The count of chosen scopes, and in the form of an existing key which are added and removed.
function showScopes() {
  const boxes = scopeBoxes();
  const count = document.querySelector('[data-scope-count]');
  if (count) count.textContent = `${count.dataset.text} ${boxes.filter((box) => box.checked).length}`;
  const diff = document.querySelector('[data-scope-diff]');
  if (!diff) return;
  const changes = boxes
    .filter((box) => box.checked !== box.hasAttribute('data-granted'))
    .map((box) => {
      const change = document.createElement(box.checked ? 'ins' : 'del');
      change.textContent = `${box.checked ? '+' : '−'} ${box.value}`;
      return change;
    });
  diff.replaceChildren(...(changes.length > 0 ? changes : [diff.dataset.none]));
}
document.addEventListener('change', showScopes);
document.addEventListener('htmx:after:swap', showScopes);
showScopes();

// The search in the list of scopes.
document.addEventListener('input', ({ target }) => {
  if (!target.matches('[data-scope-search]')) return;
  findScopes(target.value);
  dispatchChange(target);
});
// Enter in the search must not send the form around it.
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && event.target.matches('[data-scope-search]')) event.preventDefault();
});

function findScopes(text) {
  const wanted = text.trim().toLowerCase();
  let found = 0;
  for (const group of document.querySelectorAll('[data-scope-group]')) {
    const scopes = [...group.querySelectorAll('[data-scope]')];
    for (const scope of scopes) scope.hidden = !scope.textContent.toLowerCase().includes(wanted);
    const shown = scopes.filter((scope) => !scope.hidden).length;
    group.hidden = shown === 0;
    found += shown;
  }
  const none = document.querySelector('[data-scope-none]');
  none.textContent = found === 0 ? none.dataset.text : '';
}
