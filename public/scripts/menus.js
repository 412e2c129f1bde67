// Menus: a button with `popovertarget` and its list of links, which the browser opens, closes and keeps one of at a time.

/** The button of the menu that holds an element; undefined where none does. */
export function menuButtonOf(element) {
  const menu = element?.closest?.('.menu');
  return menu ? document.querySelector(`[popovertarget="${menu.id}"]`) : undefined;
}

// A link that opens a dialog leaves the page where it is, and would leave the menu open.
document.addEventListener('click', ({ target }) => {
  if (target.closest('.menu a')) target.closest('.menu').hidePopover();
});

// The arrows lead through an open menu, and from its button into it.
const STEPS = { ArrowDown: 1, ArrowUp: -1 };
document.addEventListener('keydown', (event) => {
  const step = STEPS[event.key];
  const button = event.target.closest?.('[popovertarget]');
  const menu = button ? document.getElementById(button.getAttribute('popovertarget')) : event.target.closest?.('.menu');
  if (step === undefined || !menu?.matches('.menu')) return;
  event.preventDefault();
  if (!menu.matches(':popover-open')) button.click();
  const links = [...menu.querySelectorAll('a')];
  const at = links.indexOf(document.activeElement);
  links.at(at < 0 && step < 0 ? -1 : (at + step) % links.length).focus();
});
