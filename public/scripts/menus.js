// Menus: a button with `popovertarget` and what it opens, which are the links of a row and the menus of the header. The browser
// opens them, closes them by Escape and by a click elsewhere, and keeps one open at a time.
const MENU = '.menu, .dropdown-panel';

/** The menu that an element is in or opens; undefined where it is neither. */
function menuOf(element) {
  const opened = document.getElementById(element.getAttribute?.('popovertarget') ?? '');
  return opened?.matches(MENU) ? opened : element.closest?.(MENU);
}
const buttonOf = (menu) => document.querySelector(`[popovertarget="${menu.id}"]`);
const isOpen = (menu) => menu.matches(':popover-open');

/** The button of the menu that holds an element; undefined where none does. */
export function menuButtonOf(element) {
  const menu = element?.closest?.(MENU);
  return menu ? buttonOf(menu) : undefined;
}

// A link that opens a dialog leaves the page where it is, and would leave the menu open.
document.addEventListener('click', ({ target }) => {
  const menu = target.closest('a') && target.closest(MENU);
  if (menu && isOpen(menu)) menu.hidePopover();
});

// Without a new place of the focus the reader has turned to another window, or pressed what takes none.
document.addEventListener('focusout', ({ target, relatedTarget }) => {
  const menu = menuOf(target);
  if (!menu || !relatedTarget || !isOpen(menu) || menuOf(relatedTarget) === menu) return;
  menu.hidePopover();
});

// The arrows lead from the button into its menu and through it. On a phone the menus of the navigation are parts of its list.
const STEPS = { ArrowDown: 1, ArrowUp: -1 };
document.addEventListener('keydown', (event) => {
  const step = STEPS[event.key];
  const menu = menuOf(event.target);
  if (step === undefined || !menu || !buttonOf(menu).checkVisibility()) return;
  event.preventDefault();
  if (!isOpen(menu)) buttonOf(menu).click();
  const items = [...menu.querySelectorAll('a, button')].filter((item) => item.checkVisibility());
  const at = items.indexOf(document.activeElement);
  items.at(at < 0 && step < 0 ? -1 : (at + step) % items.length)?.focus();
});

// The search in a long menu, which has the focus first, hides the items that do not have its text.
document.addEventListener(
  'toggle',
  ({ target, newState }) => {
    if (newState === 'open') target.querySelector('[data-menu-search]')?.focus();
  },
  true,
);
document.addEventListener('input', ({ target }) => {
  if (!target.matches('[data-menu-search]')) return;
  const wanted = target.value.trim().toLocaleLowerCase();
  const menu = menuOf(target);
  const items = [...menu.querySelectorAll('li')];
  for (const item of items) item.hidden = !item.textContent.toLocaleLowerCase().includes(wanted);
  const none = menu.querySelector('[data-menu-none]');
  none.textContent = items.every(({ hidden }) => hidden) ? none.dataset.text : '';
});
// Enter in the search chooses the first item that is left.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !event.target.matches('[data-menu-search]')) return;
  event.preventDefault();
  menuOf(event.target).querySelector('li:not([hidden]) :is(a, button)')?.click();
});
