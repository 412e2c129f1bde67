// Times in the zone of the reader. It runs before the page is painted, so that nobody sees UTC first, and for what htmx
// brings as well; without scripts times are in UTC and say so.
'use strict';

(() => {
  const language = document.documentElement.lang;
  // As the server formats them.
  const locale = language === 'en' ? 'en-GB' : language;
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });

  /** The zone at that moment, as `UTC+5:30`. */
  function offsetAt(date) {
    const minutes = -date.getTimezoneOffset();
    if (minutes === 0) return 'UTC';
    const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
    return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`;
  }

  function showTime(element) {
    const date = new Date(element.dateTime);
    const offset = offsetAt(date);
    // The text is the exact time in UTC, or seen from now with the exact one as its title.
    const utc = element.title || element.textContent.trim();
    if (offset === 'UTC') return;
    const local = `${format.format(date)} ${offset}`;
    if (element.title) element.title = `${local}\n${utc}`;
    else [element.textContent, element.title] = [local, utc];
  }

  function showZone(element) {
    const offset = offsetAt(new Date());
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone.replaceAll('_', ' ');
    if (offset !== 'UTC') element.textContent = element.dataset.zone.replace('{zone}', `${zone} (${offset})`);
  }

  /** Whether the parser is past the element: something follows it, or one of the elements around it. */
  function isComplete(element) {
    if (document.readyState !== 'loading') return true;
    for (let node = element; node; node = node.parentNode) if (node.nextSibling) return true;
    return false;
  }

  const SHOWN = 'time[datetime], [data-zone]';
  const done = new WeakSet();
  const waiting = new Set();
  function showAll() {
    for (const element of waiting) {
      if (!isComplete(element)) continue;
      waiting.delete(element);
      done.add(element);
      if (element.matches('time')) showTime(element);
      else showZone(element);
    }
  }
  function add(node) {
    if (!(node instanceof Element)) return;
    for (const element of [node, ...node.querySelectorAll(SHOWN)]) {
      if (element.matches(SHOWN) && !done.has(element)) waiting.add(element);
    }
  }

  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) addedNodes.forEach(add);
    showAll();
  }).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener('DOMContentLoaded', showAll);
})();
