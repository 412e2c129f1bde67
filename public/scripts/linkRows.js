// Rows of links are one stop of the Tab key each, and the arrow keys move within them: the navigation, what needs attention,
// and the heads that sort a list. A table that scrolls in its place is a stop, one that fits is none.
const ROWS = '.shell-nav > ul, .strip, .table thead tr:has(.sort)';
const ITEMS = ':scope > li > a, :scope > li > .dropdown > button, :scope > th > a.sort';
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

const itemsOf = (row) => [...row.querySelectorAll(ITEMS)].filter((item) => item.checkVisibility());

/** Makes one of the items the stop of its row. */
function setStop(items, stop) {
  for (const item of items) item.tabIndex = item === stop ? 0 : -1;
}

function setStops() {
  for (const row of document.querySelectorAll(ROWS)) {
    const items = itemsOf(row);
    const isCurrent = (item) => item.matches('[aria-current]') || item.closest('[aria-sort]');
    setStop(items, items.find(isCurrent) ?? items[0]);
  }
  for (const place of document.querySelectorAll('.table-scroll')) sizes.observe(place);
}
// Its size changes with the window, and where it is unfolded.
const sizes = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    const fits = target.scrollWidth <= target.clientWidth && target.scrollHeight <= target.clientHeight;
    target.tabIndex = fits ? -1 : 0;
  }
});
document.addEventListener('htmx:after:swap', setStops);
addEventListener('resize', setStops);
setStops();

document.addEventListener('focusin', ({ target }) => {
  const row = target.closest(ROWS);
  const items = row ? itemsOf(row) : [];
  if (items.includes(target)) setStop(items, target);
});
document.addEventListener('keydown', (event) => {
  const { key, target, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (!Object.hasOwn(STEPS, key) || ctrlKey || metaKey || altKey || shiftKey) return;
  const row = target.closest(ROWS);
  const items = row ? itemsOf(row) : [];
  const at = items.indexOf(target);
  if (at < 0) return;
  event.preventDefault();
  items.at((at + STEPS[key]) % items.length).focus();
});
