import { el, put } from './dom.js';
import { problem } from './problem.js';

// sheet opens a dialog over the page; the browser keeps the focus in it and
// gives it back. fill makes the body, and may take its time.
export function sheet(title, sub, fill) {
  const id = 'sheet-title';
  const body = el('div', { class: 'body stack' }, el('p', { class: 'busy' }, 'Loading…'));
  const close = () => box.close();
  const box = el('dialog', { 'aria-labelledby': id, onclose: () => box.remove(), onclick: (e) => e.target === box && close() },
    el('header', {}, el('div', {}, el('h2', { id }, title), sub && el('div', { class: 'muted' }, sub)), el('button', { type: 'button', onclick: close, autofocus: true }, 'Close')), body);
  document.body.append(box);
  box.showModal();
  const draw = async () => {
    try {
      put(body, await fill({ close, draw }));
    } catch (err) {
      put(body, problem(err));
    }
    if (!box.contains(document.activeElement)) box.querySelector('header button').focus();
  };
  draw();
  return box;
}
