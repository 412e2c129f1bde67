// The form of a key: its scopes, and the lines that say what is set in a folded part.
import './scopePicker.js';

document.addEventListener('input', ({ target }) => {
  const part = target.closest('[data-fold]');
  if (!part) return;
  const set = [...part.querySelectorAll('[data-fold-part]')].flatMap((field) => {
    const value = valueOf(field);
    return value === '' ? [] : [field.dataset.foldPart + value];
  });
  const line = part.querySelector('[data-fold-set]');
  line.textContent = set.join(' · ') || line.dataset.none;
});

// The value of a field on one line, and the unit that is chosen beside it.
function valueOf(field) {
  const radio = field.querySelector('input:checked');
  // The first choice is the usual one, and the text of a choice stands before its hint.
  if (radio)
    return radio.value === field.querySelector('input').value
      ? ''
      : radio.labels[0].querySelector('span').firstChild.textContent.trim();
  const input = field.querySelector('input, textarea');
  const value = input.value.trim().replace(/\s+/g, ' ');
  const unit = field.querySelector('select');
  if (value === '' || !unit) return value.length > 60 ? `${value.slice(0, 60)}…` : value;
  return `${value} / ${unit.selectedOptions[0].text}`;
}
