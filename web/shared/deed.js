import { el, put, field } from './dom.js';
import { problem } from './problem.js';
import { sure } from './sure.js';

// deed does what a button is for. Meanwhile all buttons beside it rest, and
// what went wrong is told in place said, and read out. It returns whether it
// was done.
export async function deed(button, said, work) {
  const beside = [...(button.closest('form, .deeds') ?? button.parentNode).querySelectorAll('button')].filter((b) => !b.disabled);
  for (const b of beside) b.disabled = true;
  put(said);
  try {
    await work();
    requestAnimationFrame(regain);
    return true;
  } catch (err) {
    put(said, problem(err));
    return false;
  } finally {
    for (const b of beside) b.disabled = false;
  }
}

// regain gives the focus a place again after the button that had it went with
// what it did: the heading, which then is read out.
function regain() {
  if (document.activeElement && document.activeElement !== document.body) return;
  (document.querySelector('dialog[open] header button') ?? document.querySelector('main h1'))?.focus();
}

// decide is a place for a few words and the verbs that take them: {text, look,
// run(words), needs, sure}. A verb that needs words says so when there are none;
// one with a question to be sure of asks it on its button. After one is done,
// done is called. More is shown below the words.
export function decide(label, hint, verbs, done, more) {
  const words = el('textarea', { maxlength: 4000, placeholder: hint, rows: 2 });
  const said = el('div', { 'aria-live': 'polite' });
  const press = async (verb, button) => {
    if (verb.needs && !words.value.trim()) {
      put(said, el('p', { class: 'gone' }, verb.needs));
      words.focus();
      return;
    }
    if (verb.sure && !sure(button, verb.sure)) return;
    if (await deed(button, said, () => verb.run(words.value.trim()))) done();
  };
  return el('div', { class: 'stack deeds' }, field(label, words), more,
    el('div', { class: 'row' }, verbs.map((v) => el('button', { type: 'button', class: v.look, onclick: (e) => press(v, e.currentTarget) }, v.text))), said);
}

// form is a form whose last row is its button; work does what it is for and
// tells what went wrong by throwing.
export function form(fields, label, work, look = 'first') {
  const said = el('div', { 'aria-live': 'polite' });
  const button = el('button', { class: look }, label);
  return el('form', { class: 'stack form', onsubmit: (e) => { e.preventDefault(); deed(button, said, work); } }, fields, said, el('div', { class: 'row' }, button));
}

// wish is a row of boxes to tick of which any may be, or at least one where
// some() says so; checked answers which are, and judge asks some again.
export function wish(legend, list, some = () => false) {
  const boxes = list.map(([value, text, on]) => ({ value, box: el('input', { type: 'checkbox', checked: Boolean(on) }), text }));
  const checked = () => boxes.filter((b) => b.box.checked).map((b) => b.value);
  const judge = () => boxes[0]?.box.setCustomValidity(some() && !checked().length ? 'Choose at least one.' : '');
  return { node: el('fieldset', { class: 'ticks', onchange: judge }, el('legend', {}, legend), boxes.map((b) => el('label', {}, b.box, b.text))), checked, judge };
}
