import { el } from './dom.js';
import { Problem } from './api.js';

// problem shows what went wrong, with the id to quote.
export function problem(err) {
  if (!(err instanceof Problem)) {
    console.error(err);
    err = new Problem(0, { title: 'This page met a fault of its own', detail: String(err?.message ?? err) });
  }
  const faults = err.errors.map((f) => [f.object, f.pointer ?? f.field, f.detail].filter(Boolean).join(': ')).filter((t) => t !== err.detail);
  return el('section', { class: 'problem', role: 'alert' },
    el('h2', {}, err.status ? `${err.title} (${err.status})` : err.title),
    err.detail && el('p', {}, err.detail),
    faults.length > 0 && el('ul', {}, faults.map((t) => el('li', {}, t))),
    err.request && el('p', { class: 'muted' }, 'Request ', el('code', {}, err.request), '. Quote it when you ask for help; the log and the trail have it too.'));
}

// empty says that there is nothing, and what to do next.
export function empty(title, text, command) {
  return el('div', { class: 'empty' }, el('strong', {}, title), el('span', {}, text), command && el('div', {}, el('pre', { class: 'command' }, command)));
}
