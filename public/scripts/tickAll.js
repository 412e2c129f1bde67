// `data-tick-all` ticks every box of its `data-ticks` group that can be seen, and shows when only some are ticked.
function boxesOf(all) {
  const boxes = all.closest('[data-ticks]').querySelectorAll('input[type=checkbox]:not([data-tick-all], :disabled)');
  return [...boxes].filter((box) => !box.closest('[hidden]'));
}
function showTicks(all) {
  const boxes = boxesOf(all);
  const ticked = boxes.filter((box) => box.checked).length;
  all.checked = boxes.length > 0 && ticked === boxes.length;
  all.indeterminate = ticked > 0 && ticked < boxes.length;
}
document.addEventListener('change', ({ target }) => {
  if (target.matches('[data-tick-all]')) {
    for (const box of boxesOf(target)) box.checked = target.checked;
  }
  showAllTicks();
});
const showAllTicks = () => document.querySelectorAll('[data-tick-all]').forEach(showTicks);
document.addEventListener('htmx:after:swap', showAllTicks);
showAllTicks();
