// The bars of a chart are one stop of the tab key: the arrows lead from one to the next, Home and End to the outermost.
const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

document.addEventListener('keydown', (event) => {
  const { key, target, ctrlKey, metaKey, altKey } = event;
  if (ctrlKey || metaKey || altKey || !Object.hasOwn(steps, key)) return;
  const bars = [...(target.closest('[data-arrows]')?.querySelectorAll('[tabindex]') ?? [])];
  const at = bars.indexOf(target);
  if (at < 0) return;
  event.preventDefault();
  const next = bars[Math.min(bars.length - 1, Math.max(0, at + steps[key]))];
  target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});
