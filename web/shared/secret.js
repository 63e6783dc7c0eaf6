import { el, put } from './dom.js';

// copier is a button that copies a text, and says whether it did.
export function copier(text, label = 'Copy') {
  const said = el('span', { class: 'muted', 'aria-live': 'polite' });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      put(said, 'Copied.');
    } catch {
      put(said, 'The browser does not allow it; select and copy by hand.');
    }
  };
  return el('span', { class: 'row' }, el('button', { type: 'button', onclick: copy }, label), said);
}

// secret shows a key this once. It stands in this page alone, and goes with it.
export function secret(key, example) {
  return el('div', { class: 'notice warn stack', id: 'secret', role: 'status' }, el('p', {}, el('strong', {}, 'Your key, shown this once. '), 'Keep it where secrets are kept; who has it can call in your application’s name. Lost ones are rotated.'),
    el('pre', { class: 'command', id: 'key', tabindex: 0 }, key), copier(key, 'Copy the key'), example && [el('p', { class: 'muted' }, 'Send it as X-API-Key with each request:'), el('pre', { class: 'command' }, example)]);
}
