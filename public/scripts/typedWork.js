// What somebody has typed into a form outlives a change of language, a session that is over and an error of the server;
// leaving the form in another way asks first.

const STORED = 'latchkey-drafts';
const KEPT_MS = 30 * 60_000;
/** On pages of people who are signed in: whose page it is, and the message that what was typed is back. */
const signedIn = document.getElementById('typed-work');
const person = signedIn?.dataset.person ?? '';

// Forms that were sent: leaving them loses nothing.
const sent = new WeakSet();
let isLeaving = false;

const workForms = () => [
  ...document.querySelectorAll(':is(main, dialog) form[method=post]:not([data-no-work], [action="/logout"])'),
];
const nameOf = (form) => {
  const action = form.getAttribute('action');
  return `${action} ${workForms()
    .filter((one) => one.getAttribute('action') === action)
    .indexOf(form)}`;
};

/** The fields that may be stored: no secret, and nothing that the page itself has set. */
const fieldsOf = (form) =>
  [...form.elements].filter(
    (field) =>
      field.matches('input, select, textarea') &&
      /^[^_]/.test(field.name) &&
      !['hidden', 'password', 'file', 'submit', 'button'].includes(field.type) &&
      !field.matches(':disabled, [readonly], [autocomplete=one-time-code]'),
  );

const isBox = ({ type }) => type === 'checkbox' || type === 'radio';
function isChanged(field) {
  if (isBox(field)) return field.checked !== field.defaultChecked;
  if (field.type !== 'select-one') return field.value !== field.defaultValue;
  const initial = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
  return field.value !== initial?.value;
}

/** Whether the server sent the form back, with what was typed as the initial values of its fields. */
const isRefused = (form) =>
  Boolean(form.querySelector('#problems, [aria-invalid]') ?? form.parentElement.querySelector(':scope > #problems'));

function typedIn(form) {
  const refused = isRefused(form);
  return fieldsOf(form).filter((field) => refused || isChanged(field));
}
const hasWork = (form) => typedIn(form).length > 0;

// Browsers may refuse the storage; then nothing is kept.
function readDrafts() {
  try {
    return JSON.parse(sessionStorage.getItem(STORED) ?? '[]').filter(({ at }) => Date.now() - at < KEPT_MS);
  } catch {
    return [];
  }
}
function writeDrafts(drafts) {
  try {
    if (drafts.length > 0) sessionStorage.setItem(STORED, JSON.stringify(drafts));
    else sessionStorage.removeItem(STORED);
  } catch {
    return;
  }
}

const draftsWithout = (form) => readDrafts().filter(({ name }) => name !== nameOf(form));

/** Keeps the form; it is put back where it is found again, if it is `lost` or by the time its answer is an error. */
function keep(form, { isLost, tell = false }) {
  const fields = typedIn(form).map((field) => ({
    name: field.name,
    place: placeOf(field, form),
    value: isBox(field) ? field.checked : field.value,
  }));
  if (fields.length === 0) return;
  writeDrafts([...draftsWithout(form), { name: nameOf(form), person, at: Date.now(), isLost, tell, fields }]);
}

/** Tells fields of one name apart: boxes by their value, others by their order. */
const placeOf = (field, form) => (isBox(field) ? field.value : fieldsOf(form).filter(named(field.name)).indexOf(field));
const named = (name) => (field) => field.name === name;

/** Puts back what was lost from the forms that the page has. */
function putBack() {
  for (const form of workForms()) {
    const draft = readDrafts().find((one) => one.isLost && one.person === person && one.name === nameOf(form));
    if (!draft) continue;
    writeDrafts(draftsWithout(form));
    for (const { name, place, value } of draft.fields) {
      const field = fieldsOf(form).find((one) => one.name === name && placeOf(one, form) === place);
      if (!field) continue;
      if (isBox(field)) field.checked = value;
      else field.value = value;
      for (let box = field.closest('details'); box; box = box.parentElement.closest('details')) box.open = true;
    }
    // Other scripts show what is in a field; the form alone tells of the change, since a field might change others.
    for (const { name } of draft.fields) {
      for (const field of fieldsOf(form).filter(named(name)))
        field.dispatchEvent(new Event('input', { bubbles: true }));
    }
    form.dispatchEvent(new Event('change', { bubbles: true }));
    if (draft.tell && signedIn) document.getElementById('toasts').append(signedIn.content.cloneNode(true));
  }
}

// At the window, behind all who may prevent it at the document: the theme, for one, is switched without leaving the page.
addEventListener('submit', ({ target: form, defaultPrevented }) => {
  const action = form.getAttribute('action');
  if (action === '/logout') writeDrafts([]);
  if (action === '/preferences' && !defaultPrevented) {
    for (const one of workForms()) keep(one, { isLost: true });
    isLeaving = true;
  }
  if (!workForms().includes(form)) return;
  sent.add(form);
  if (signedIn) keep(form, { isLost: false, tell: true });
});
document.addEventListener('input', ({ target }) => {
  isLeaving = false;
  if (target.form) sent.delete(target.form);
});

// htmx is answered on the page of the form: by the login where the session is over, or else the form is still there.
document.addEventListener('htmx:before:response', ({ detail: { ctx } }) => {
  if (ctx.response.status !== 401) return;
  for (const form of workForms()) keep(form, { isLost: true, tell: true });
  isLeaving = true;
});
document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
  const form = ctx.sourceElement;
  const status = ctx.response?.status;
  if (!sent.has(form) || isLeaving) return;
  if (status < 400 || status === 422) return writeDrafts(draftsWithout(form));
  // A reload, which may be the way out of an error, brings it back.
  sent.delete(form);
  keep(form, { isLost: true });
});
document.addEventListener('htmx:after:swap', putBack);

// A form that was sent has arrived where neither the login nor an error answers it.
const isLostNow = !signedIn || document.querySelector('[data-problem]') !== null;
const drafts = readDrafts().filter((draft) => !signedIn || draft.person === person);
writeDrafts(drafts.map((draft) => ({ ...draft, isLost: draft.isLost || isLostNow })).filter(({ isLost }) => isLost));
putBack();

addEventListener('beforeunload', (event) => {
  if (signedIn && !isLeaving && workForms().some((form) => !sent.has(form) && hasWork(form))) event.preventDefault();
});
