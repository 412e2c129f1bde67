// Explanations beside scopes, which Escape takes away.
const root = document.documentElement;

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
