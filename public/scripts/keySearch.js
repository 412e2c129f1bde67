// A whole key in the search of keys is replaced by what is shown of it, before any request could send it.

/** Finds the shown beginning and the last four characters of a key, in either format that keys are written in. */
const shapeOf = (prefix) =>
  new RegExp(
    `(${prefix}_(?:(?:live|test)_[0-9A-Za-z]{8}(?=[0-9A-Za-z]{24})|[0-9a-f]{8}(?=[0-9a-f]{56})))[0-9A-Za-z]*([0-9A-Za-z]{4})`,
  );

// While the event is still on its way down, since htmx listens on the form and the browser may send it.
document.addEventListener(
  'input',
  ({ target }) => {
    if (!target.matches('[data-key-prefix]')) return;
    const [, beginning, lastFour] = shapeOf(target.dataset.keyPrefix).exec(target.value) ?? [];
    if (lastFour !== undefined) target.value = `${beginning}…${lastFour}`;
  },
  true,
);
