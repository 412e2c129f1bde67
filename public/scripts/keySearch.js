// A whole key in the search of keys is replaced by what is shown of it, before any request could send it.

/** Finds the shown beginning and the last four characters of a key, in either format that keys are written in. */
const shapeOf = (prefix) =>
  new RegExp(
    `(${prefix}_(?:(?:live|test)_[0-9A-Za-z]{8}(?=[0-9A-Za-z]{24})|[0-9a-f]{8}(?=[0-9a-f]{56})))[0-9A-Za-z]*([0-9A-Za-z]{4})`,
  );

// Keys from elsewhere are told by how they look, by the same rule as in app/domain/keySearch.ts.
const TOKEN = /[\w.~+/-]{20,}={0,2}/g;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const CHANGE = /[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|[0-9](?=[A-Za-z])/g;
const looksRandom = (word) => /\d/.test(word) && (word.match(CHANGE) ?? []).length >= 5;
/** A mask behind which somebody goes on typing. */
const TYPED_ON = /^([\w~+/=-]*…)[\w.~+/=-]+([\w.~+/=-]{4})$/;

/** The text to search for: a key in it, or what looks like one, is cut to its beginning and its last four characters. */
export function withoutKey(text, prefix) {
  const [, beginning, lastFour] = shapeOf(prefix).exec(text) ?? [];
  if (lastFour !== undefined) return `${beginning}…${lastFour}`;
  const token = text.match(TOKEN)?.find((word) => !ID.test(word) && looksRandom(word));
  if (token === undefined) return text.replace(TYPED_ON, '$1$2');
  return `${token.slice(0, Math.min(8, Math.floor(token.length / 4)))}…${token.slice(-4)}`;
}

// While the event is still on its way down, since htmx listens on the form and the browser may send it.
document.addEventListener(
  'input',
  ({ target }) => {
    if (!target.matches('[data-key-prefix]')) return;
    const text = withoutKey(target.value, target.dataset.keyPrefix);
    if (text !== target.value) target.value = text;
  },
  true,
);
// The field would cut a long text before its last characters are known.
document.addEventListener('paste', (event) => {
  const { target, clipboardData } = event;
  if (!target.matches?.('[data-key-prefix]')) return;
  const pasted = clipboardData.getData('text');
  const text = withoutKey(pasted, target.dataset.keyPrefix);
  if (text === pasted) return;
  event.preventDefault();
  target.value = text;
  target.dispatchEvent(new Event('input', { bubbles: true }));
});
