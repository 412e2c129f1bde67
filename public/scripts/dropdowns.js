// Menus of the header: the browser opens and closes them; here they close when the focus leaves, and are searched.

document.addEventListener('focusout', ({ target, relatedTarget }) => {
  const menu = target.closest('.dropdown');
  // Without a new place of the focus the reader has turned to another window, or pressed what takes none.
  if (!menu || !relatedTarget || menu.contains(relatedTarget)) return;
  const panel = menu.querySelector('[popover]');
  if (panel.matches(':popover-open')) panel.hidePopover();
});

document.addEventListener(
  'toggle',
  ({ target, newState }) => {
    if (newState === 'open') target.querySelector('[data-dropdown-search]')?.focus();
  },
  true,
);

// The search in a long menu hides the items that do not have its text.
document.addEventListener('input', ({ target }) => {
  if (!target.matches('[data-dropdown-search]')) return;
  const wanted = target.value.trim().toLocaleLowerCase();
  const panel = target.closest('[popover]');
  const items = [...panel.querySelectorAll('li')];
  for (const item of items) item.hidden = !item.textContent.toLocaleLowerCase().includes(wanted);
  const none = panel.querySelector('[data-dropdown-none]');
  none.textContent = items.every(({ hidden }) => hidden) ? none.dataset.text : '';
});
// Enter in the search chooses the first item that is left.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !event.target.matches('[data-dropdown-search]')) return;
  event.preventDefault();
  event.target.closest('[popover]').querySelector('li:not([hidden]) :is(a, button)')?.click();
});

// The arrows lead from the button into its menu and through it.
const STEPS = { ArrowUp: -1, ArrowDown: 1 };
document.addEventListener('keydown', (event) => {
  const step = STEPS[event.key];
  const panel = event.target.closest?.('.dropdown')?.querySelector('[popover]');
  if (step === undefined || !panel) return;
  event.preventDefault();
  if (!panel.matches(':popover-open')) panel.showPopover();
  const items = [...panel.querySelectorAll('a, button')].filter((item) => item.checkVisibility());
  const at = items.indexOf(document.activeElement);
  items.at(at < 0 && step < 0 ? -1 : (at + step) % items.length)?.focus();
});
